"""From photos to probabilities and heat maps."""
