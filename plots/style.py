"""The one look of all pictures."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Blue, vermilion, green and so on: those of Okabe & Ito 2008, "Color universal
# design", which colour-blind people can tell apart.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
TRAINING_COLOR, VALIDATION_COLOR = COLORS[:2]


def new_axes() -> Axes:
    """Returns the axes of a new figure."""
    return Figure(figsize=(7, 4.5), layout="constrained").add_subplot()


def add_words(ax: Axes, title: str, x: str, y: str) -> None:
    """Adds the title, what the axes are, a grid and, of labels, the legend."""
    ax.set_title(title)
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.grid(alpha=0.25)
    if ax.get_legend_handles_labels()[0]:
        ax.legend()
