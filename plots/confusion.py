"""The confusion matrix."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from plots.style import new_axes, short

_NUMBERED = 25  # classes up to which each cell shows its number
_NAMED = 50  # classes up to which each has its name at the axis


def plot_confusion(
    counts: np.ndarray, class_names: Sequence[str], ax: Axes | None = None
) -> Axes:
    """Draws the confusion matrix; returns the axes.

    The colour is the share of the photos with that true label, so that a small
    class is as easy to read as a large one; the numbers are photos.

    Args:
        counts: Photos by true and predicted label, ints (C, C).
        class_names: Names of the C classes.
        ax: matplotlib axes to draw on; None: those of a new figure.
    """
    counts = np.asarray(counts)
    num_classes = len(class_names)
    if ax is None:
        side = np.clip(2.2 + 0.42 * num_classes, 4.5, 11)
        ax = new_axes(side + 0.8, side)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if num_classes <= _NUMBERED:
        size = np.clip(13 - 0.25 * num_classes, 7, 12)
        for row, column in np.argwhere(counts):
            ax.text(
                column,
                row,
                f"{counts[row, column]:,}",
                ha="center",
                va="center",
                fontsize=size,
                color="white" if shares[row, column] > 0.5 else "black",
            )
    step = -(-num_classes // _NAMED)  # every one, every second, ...
    ticks = np.arange(0, num_classes, step)
    names = [short(name, 18) for name in class_names[::step]]
    font: dict[str, Any] = {
        "fontsize": 10 if num_classes <= _NUMBERED else 6,
        "parse_math": False,
    }
    upright = num_classes <= 4 and max(map(len, names)) <= 10
    ax.set_xticks(ticks, names, rotation=0 if upright else 90, **font)
    ax.set_yticks(ticks, names, **font)
    ax.set_title("Confusion matrix")
    ax.set_xlabel("Predicted label")
    ax.set_ylabel("True label")
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.75)
    bar.set_label("Share of the photos with that true label")
    return ax
