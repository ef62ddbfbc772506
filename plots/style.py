"""Colours, labels and legends of all pictures."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

# Blue, vermilion, green and so on: those of Okabe & Ito 2008, "Color universal
# design", which colour-blind people can tell apart.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_GOLDEN_RATIO = 0.618034
TRAINING_COLOR, VALIDATION_COLOR = COLORS[:2]


def save_figure(figure: Figure, file: str | Path | BinaryIO, dpi: int) -> None:
    """Writes a figure; letters that no font has become boxes, unremarked.

    Args:
        figure: Figure.
        file: Path of the file, whose name says its format, or a PNG file that
            is open for writing.
        dpi: Pixels per inch.
    """
    is_png = not isinstance(file, str | Path) or Path(file).suffix == ".png"
    # Photos otherwise take zlib most of the time, for a tenth of the size.
    options: dict = {"pil_kwargs": {"compress_level": 1}} if is_png else {}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(file, dpi=dpi, **options)


def class_color(number: int, num_classes: int) -> str:
    """Returns the colour of a class, the same in all pictures of a run.

    Args:
        number: Index of the class.
        num_classes: Number of classes; for more than six no colours are known
            that all people can tell apart.
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


def class_label(name: str) -> str:
    """Returns the label of a class in a legend."""
    # matplotlib leaves out labels that begin with an underscore.
    return f"\u200b{short(name, 24)}"


def new_axes(width: float = 7, height: float = 4.5) -> Axes:
    """Returns the axes of a new figure; sizes in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure.add_subplot()


def label_axes(ax: Axes, title: str, x: str, y: str) -> None:
    """Adds a title, axis labels, a grid and, of labelled artists, a legend."""
    ax.set_title(title)
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.grid(alpha=0.25)
    if ax.get_legend_handles_labels()[0]:
        add_legend(ax)


def add_legend(
    place: Axes | Figure,
    handles: Sequence | None = None,
    labels: Sequence[str] = (),
    **options,
) -> None:
    """Adds a legend whose labels are plain text, whatever is in them.

    Args:
        place: Axes or figure.
        handles: Artists, or None for those of the axes that have a label.
        labels: Labels of the handles.
        **options: Of `Axes.legend`.
    """
    if handles is None:
        handles, labels = place.get_legend_handles_labels()  # type: ignore[union-attr]  # of axes
    # Before it is laid out: a name may be no valid formula.
    legend = place.legend(handles, [" "] * len(labels), **options)
    for text, label in zip(legend.get_texts(), labels, strict=True):
        text.set_parse_math(False)
        text.set_text(label)
