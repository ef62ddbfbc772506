"""Feature cache: outputs of the frozen part, computed once and kept on disk."""
