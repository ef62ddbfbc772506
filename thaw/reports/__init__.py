"""The report, its figures, and the model card."""
