"""How good a model is, and how sure that is: arrays in, numbers out."""
