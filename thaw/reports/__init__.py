"""Reports on a run: report.html, its pictures, and the model card."""
