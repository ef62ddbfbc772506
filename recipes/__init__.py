"""One flagfile per published recipe."""
