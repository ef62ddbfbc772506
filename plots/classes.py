"""Photos per class, and the feature map of all photos."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from plots.style import (
    COLORS,
    add_legend,
    class_color,
    class_label,
    label_axes,
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
        counts: By the name of the split, photos of each of the C classes.
        class_names: Names of the C classes.
        ax: matplotlib axes to draw on; None: those of a new figure.
    """
    num_classes = len(class_names)
    ax = ax or new_axes(height=np.clip(1.6 + 0.3 * num_classes, 2.6, 14))
    places = np.arange(num_classes)
    left = np.zeros(num_classes)
    for color, (split, photos) in zip(COLORS, counts.items(), strict=False):
        ax.barh(places, photos, left=left, color=color, label=split)
        left += photos
    if num_classes <= _NAMED:
        for place, total in enumerate(left):
            ax.text(total, place, f" {int(total):,}", va="center", fontsize=8)
    ticks = places[:: -(-num_classes // _NAMED)]
    ax.set_yticks(
        ticks,
        [short(class_names[tick], 24) for tick in ticks],
        fontsize=10 if num_classes <= 25 else 7,
        parse_math=False,
    )
    ax.invert_yaxis()
    ax.margins(x=0.12, y=0.5 / max(num_classes, 4))
    label_axes(ax, "Photos by class", "Photos", "")
    add_legend(ax, loc="upper left", bbox_to_anchor=(1.01, 1))
    return ax


def plot_feature_map(
    points: np.ndarray,
    labels: np.ndarray,
    predicted: np.ndarray,
    class_names: Sequence[str],
    ax: Axes | None = None,
    *,
    explained: Sequence[float],
) -> Axes:
    """Draws photos as points, coloured by true label; returns the axes.

    Args:
        points: First two principal components of the features, (N, 2).
        labels: True label of each photo, int (N,).
        predicted: Predicted label of each photo, int (N,); where it is wrong,
            the point is a cross.
        class_names: Names of the C classes.
        ax: matplotlib axes to draw on; None: those of a new figure.
        explained: Share of the variance that each component explains, (2,).
    """
    ax = ax or new_axes()
    num_classes = len(class_names)
    colors = np.array([class_color(x, num_classes) for x in range(num_classes)])
    right = labels == predicted
    x, y = points.T
    ax.scatter(
        x[right], y[right], 14, colors[labels[right]], alpha=0.55, linewidths=0
    )
    ax.scatter(x[~right], y[~right], 42, colors[labels[~right]], marker="x")
    most = np.argsort(-np.bincount(labels, minlength=num_classes))[:_LABELLED]
    for number in sorted(most):
        label = class_label(class_names[number])
        ax.scatter([], [], 30, colors[number], label=label)
    if num_classes > _LABELLED:
        others = f"and {num_classes - _LABELLED} more classes"
        ax.scatter([], [], 0, "white", label=others)
    ax.scatter([], [], 42, "0.3", marker="x", label="wrong prediction")
    names = (f"Component {i} ({explained[i - 1]:.0%})" for i in (1, 2))
    label_axes(ax, "Photos by features of the last layer (PCA)", *names)
    if num_classes > 4:
        add_legend(ax, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return ax
