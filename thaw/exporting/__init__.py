"""Exports: a trained model in other formats, each compared with Keras."""
