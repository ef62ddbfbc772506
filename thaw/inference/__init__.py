"""Inference: from photos to probabilities and heat maps."""
