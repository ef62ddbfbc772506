"""The one look of all pictures."""

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

# Blue, vermilion, green and so on: those of Okabe & Ito 2008, "Color universal
# design", which colour-blind people can tell apart.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_GOLDEN_RATIO = 0.618034
TRAINING_COLOR, VALIDATION_COLOR = COLORS[:2]


def class_color(number: int, num_classes: int) -> str:
    """Returns the colour of a class, the same in all pictures of a run.

    Args:
        number: Which class, from 0.
        num_classes: Of so many; for more than six no colours are known that
            all people can tell apart.
    """
    if num_classes <= len(COLORS):
        return COLORS[number]
    # Neighbours in the list of classes are far apart in colour.
    place = number * _GOLDEN_RATIO % 1
    return to_hex(colormaps["turbo"](0.05 + 0.9 * place))


def short(name: str, letters: int) -> str:
    """Returns the name, or its beginning and end where it is longer."""
    if len(name) <= letters:
        return name
    half = (letters - 1) // 2
    return f"{name[: letters - 1 - half]}\u2026{name[-half:]}"


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
        add_legend(ax)


def add_legend(ax: Axes, **options) -> None:
    """Adds the legend; names are text, whatever is in them."""
    # Before it is laid out: a name may be no valid formula.
    handles, labels = ax.get_legend_handles_labels()
    legend = ax.legend(handles, [" "] * len(labels), **options)
    for text, label in zip(legend.get_texts(), labels, strict=True):
        text.set_parse_math(False)
        text.set_text(label)
