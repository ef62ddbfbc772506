"""Classes: how many photos they have, and where these lie."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plots.style import (
    COLORS,
    add_legend,
    add_words,
    class_color,
    new_axes,
    short,
)

_NAMED = 60  # classes up to which each has its name at the axis
_LABELLED = 12  # classes in the legend


def plot_class_counts(
    counts: Mapping[str, Sequence[int]],
    class_names: Sequence[str],
    ax: Axes | None = None,
) -> Axes:
    """Draws how many photos each class has; returns the axes.

    Args:
        counts: By the name of the side, photos of each of the C classes.
        class_names: Names of the C classes.
        ax: matplotlib axes to draw on; None: those of a new figure.
    """
    num_classes = len(class_names)
    if ax is None:
        height = np.clip(1.6 + 0.3 * num_classes, 2.6, 14)
        figure = Figure(figsize=(7, height), layout="constrained")
        ax = figure.add_subplot()
    places = np.arange(num_classes)
    left = np.zeros(num_classes)
    for color, (side, photos) in zip(COLORS, counts.items(), strict=False):
        ax.barh(places, photos, left=left, color=color, label=side)
        left += photos
    if num_classes <= _NAMED:
        for place, total in zip(places, left, strict=True):
            ax.text(total, place, f" {int(total):,}", va="center", fontsize=8)
    step = -(-num_classes // _NAMED)
    names = [short(class_names[place], 24) for place in places[::step]]
    ax.set_yticks(
        places[::step],
        names,
        fontsize=10 if num_classes <= 25 else 7,
        parse_math=False,
    )
    ax.invert_yaxis()
    ax.margins(x=0.12, y=0.5 / max(num_classes, 4))
    add_words(ax, "Photos by class", "Photos", "")
    add_legend(ax, loc="upper left", bbox_to_anchor=(1.01, 1))
    return ax


def plot_feature_map(
    points: np.ndarray,
    labels: np.ndarray,
    predicted: np.ndarray,
    class_names: Sequence[str],
    ax: Axes | None = None,
    *,
    shares: Sequence[float],
) -> Axes:
    """Draws photos as points, coloured by class; returns the axes.

    Args:
        points: First two principal components of the features, (N, 2).
        labels: Right class of each photo, int (N,).
        predicted: The class it is taken for, int (N,); where that is another,
            the point is a cross.
        class_names: Names of the C classes.
        ax: matplotlib axes to draw on; None: those of a new figure.
        shares: Of the variance in each of the two, (2,).
    """
    ax = ax or new_axes()
    num_classes = len(class_names)
    colors = np.array([class_color(x, num_classes) for x in range(num_classes)])
    right = labels == predicted
    ax.scatter(
        *points[right].T, 14, colors[labels[right]], alpha=0.55, linewidths=0
    )
    ax.scatter(*points[~right].T, 42, colors[labels[~right]], marker="x")
    most = np.argsort(-np.bincount(labels, minlength=num_classes))[:_LABELLED]
    for number in sorted(most):
        ax.scatter(
            [], [], 30, colors[number],
            label=f"\u200b{short(class_names[number], 24)}",
        )  # fmt: skip
    if num_classes > _LABELLED:
        others = f"and {num_classes - _LABELLED} more classes"
        ax.scatter([], [], 0, "white", label=others)
    ax.scatter([], [], 42, "0.3", marker="x", label="taken for another class")
    x, y = (f"Component {i} ({shares[i - 1]:.0%})" for i in (1, 2))
    add_words(ax, "Photos by what the last layer sees", x, y)
    if num_classes > 4:
        add_legend(ax, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return ax
