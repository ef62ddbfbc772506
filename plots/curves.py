"""ROC and precision-recall curves, and the reliability diagram."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from plots.style import (
    TRAINING_COLOR,
    VALIDATION_COLOR,
    class_color,
    class_label,
    label_axes,
    new_axes,
)

_LABELLED = 8  # curves; of more classes the worst

Curve = tuple[np.ndarray, np.ndarray, float]
Bins = tuple[np.ndarray, np.ndarray, np.ndarray]


def plot_roc(
    curves: Sequence[Curve | None],
    class_names: Sequence[str],
    ax: Axes | None = None,
) -> Axes:
    """Draws the ROC curve of each class against all others.

    Args:
        curves: False positive rates, true positive rates and area under the
            curve of each class; None: it has none.
        class_names: Names of the classes; of two, the second is drawn.
        ax: matplotlib axes to draw on; None: those of a new figure.
    """
    ax = ax or new_axes()
    ax.plot([0, 1], [0, 1], ":", color="0.5", label="Chance")
    _plot_curves(ax, curves, class_names, "area")
    label_axes(ax, "ROC", "False positive rate", "True positive rate")
    return ax


def plot_precision_recall(
    curves: Sequence[Curve | None],
    class_names: Sequence[str],
    ax: Axes | None = None,
) -> Axes:
    """Draws precision over recall of each class against all others.

    Args:
        curves: Recall, precision and average precision of each class; None:
            it has none.
        class_names, ax: As in `plot_roc`.
    """
    ax = ax or new_axes()
    _plot_curves(ax, curves, class_names, "average precision")
    label_axes(ax, "Precision and recall", "Recall", "Precision")
    return ax


def plot_reliability(
    bins: Bins, ax: Axes | None = None, *, calibrated: Bins | None = None
) -> Axes:
    """Draws accuracy over confidence.

    Args:
        bins: Of B bins of confidence: the mean confidence and the accuracy of
            the photos in it, NaN where it is empty, and their number, each
            (B,). The more photos, the larger the point.
        ax: matplotlib axes to draw on; None: those of a new figure.
        calibrated: The same after calibration, or None.
    """
    ax = ax or new_axes()
    ax.plot([0, 1], [0, 1], ":", color="0.5", label="Confidence is accuracy")
    drawn = [("As trained", TRAINING_COLOR, bins)]
    if calibrated is not None:
        drawn.append(("Calibrated", VALIDATION_COLOR, calibrated))
    lowest = 1.0
    for label, color, arrays in drawn:
        x, y, photos = np.array(arrays)[:, np.asarray(arrays[2]) > 0]
        ax.plot(x, y, "-", color=color, linewidth=1, alpha=0.6, label=label)
        ax.scatter(x, y, 15 + 300 * photos / photos.sum(), color, alpha=0.6)
        lowest = min(lowest, x.min())
    ax.set_xlim(max(0, lowest - 0.05), 1.02)
    ax.set_ylim(-0.03, 1.05)
    title = "Reliability (the larger the point, the more photos)"
    label_axes(ax, title, "Confidence", "Accuracy")
    return ax


def _plot_curves(ax, curves, class_names, area_name):
    known = [number for number, x in enumerate(curves) if x is not None]
    if len(class_names) == 2:
        known = known[-1:]  # the other says the same
    worst = sorted(known, key=lambda number: curves[number][2])[:_LABELLED]
    for number in known:
        if number not in worst:
            x, y, _ = curves[number]
            ax.plot(x, y, color="0.8", linewidth=0.8, zorder=1)
    for number in sorted(worst):
        x, y, area = curves[number]
        ax.plot(
            x,
            y,
            color=class_color(number, len(class_names)),
            linewidth=2,
            label=f"{class_label(class_names[number])}, {area_name} {area:.3f}",
        )
    if len(known) > _LABELLED:
        ax.plot([], [], color="0.8", label="The other classes, all better")
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.03, 1.05)
