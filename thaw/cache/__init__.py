"""The frozen part computed once: features, kept on disk."""
