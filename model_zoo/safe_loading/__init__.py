"""Opening untrusted model files."""
