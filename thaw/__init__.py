"""Fine-tune a Keras image classifier by unfreezing just enough of it."""

__version__ = "0.2.0.dev0"
