"""Pictures of what a run did: plain arrays in, matplotlib axes out."""

from plots.history import plot_history

__all__ = ["plot_history"]
