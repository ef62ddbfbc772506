"""ROC and precision-recall curves, and the reliability diagram."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from plots.style import (
    TRAINING_COLOR,
    VALIDATION_COLOR,
    add_words,
    class_color,
    new_axes,
    short,
)

_LABELLED = 8  # curves; of more classes the worst


def plot_roc(
    curves: Sequence[tuple[np.ndarray, np.ndarray, float] | None],
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
    ax.plot([0, 1], [0, 1], ":", color="0.5", label="Guessing")
    _plot_curves(ax, curves, class_names, "area")
    add_words(ax, "ROC", "False positive rate", "True positive rate")
    return ax


def plot_precision_recall(
    curves: Sequence[tuple[np.ndarray, np.ndarray, float] | None],
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
    add_words(ax, "Precision and recall", "Recall", "Precision")
    return ax


def plot_reliability(
    confidence: np.ndarray,
    accuracy: np.ndarray,
    counts: np.ndarray,
    ax: Axes | None = None,
    *,
    calibrated: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
) -> Axes:
    """Draws how often the model is right, by how sure it is.

    Args:
        confidence: Mean probability of the likeliest class in each bin, (B,).
        accuracy: Share of right predictions, (B,); NaN where it is empty.
        counts: Photos in each bin, (B,); the larger, the larger the point.
        ax: matplotlib axes to draw on; None: those of a new figure.
        calibrated: The same three after calibration, or None.
    """
    ax = ax or new_axes()
    ax.plot([0, 1], [0, 1], ":", color="0.5", label="Confidence is accuracy")
    drawn = [("As trained", TRAINING_COLOR, (confidence, accuracy, counts))]
    if calibrated is not None:
        drawn.append(("Calibrated", VALIDATION_COLOR, calibrated))
    lowest = 1.0
    for label, color, (x, y, photos) in drawn:
        full = np.asarray(photos) > 0
        x, y, photos = (np.asarray(values)[full] for values in (x, y, photos))
        ax.plot(x, y, "-", color=color, linewidth=1, alpha=0.6, label=label)
        ax.scatter(x, y, 15 + 300 * photos / photos.sum(), color, alpha=0.6)
        lowest = min(lowest, x.min())
    ax.set_xlim(max(0, lowest - 0.05), 1.02)
    ax.set_ylim(-0.03, 1.05)
    add_words(
        ax,
        "Reliability (the larger the point, the more photos)",
        "Confidence",
        "Accuracy",
    )
    return ax


def _plot_curves(ax, curves, class_names, what):
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
            # A name that begins with _ would be left out.
            label=f"\u200b{short(class_names[number], 24)}, {what} {area:.3f}",
        )
    if len(known) > _LABELLED:
        ax.plot([], [], color="0.8", label="The other classes, all better")
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.03, 1.05)
