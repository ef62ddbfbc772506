"""Loss by unfreeze point: how much of a base is worth unfreezing."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from plots.style import (
    TRAINING_COLOR,
    VALIDATION_COLOR,
    label_axes,
    new_axes,
    short,
)


def plot_thaw_curve(
    points: Sequence[str],
    losses: ArrayLike,
    intervals: ArrayLike,
    *,
    chosen: int,
    seconds: Sequence[float],
    parameters: Sequence[int],
    ax: Axes | None = None,
) -> Axes:
    """Draws the lowest loss from each unfreeze point; returns the axes.

    Args:
        points: Unfreeze points, the last of the model first, (P,).
        losses: Lowest loss of each, float (P,).
        intervals: Ends of an interval around each, float (P, 2).
        chosen: Index of the one chosen.
        seconds: Seconds an epoch takes from each, float (P,); 0: no label.
        parameters: Parameters that train from each, int (P,).
        ax: matplotlib axes to draw on; None: those of a new figure.

    Returns:
        `matplotlib.axes.Axes`.

    Example:

    ```python
    import plots

    ax = plots.plot_thaw_curve(
        ["none", "block5_conv1"],
        [0.32, 0.28],
        [(0.32, 0.32), (0.26, 0.30)],
        chosen=1,
        seconds=[0.1, 2.0],
        parameters=[1025, 7_000_000],
    )
    ax.figure.savefig("thaw_curve.png")
    ```
    """
    ax = ax or new_axes()
    losses, intervals = np.asarray(losses), np.asarray(intervals)
    places = np.arange(len(points))
    ax.errorbar(
        places,
        losses,
        yerr=np.abs(intervals.T - losses),
        fmt="o-",
        color=VALIDATION_COLOR,
        capsize=4,
        label="Lowest loss (95% CI against the head alone)",
    )
    ax.plot(
        places[chosen],
        losses[chosen],
        "o",
        markersize=14,
        markerfacecolor="none",
        markeredgewidth=2,
        color=TRAINING_COLOR,
        label="Chosen",
    )
    ax.set_xticks(
        places,
        [
            f"{short(point, 20)}\n{_short(count)} parameters"
            + (f"\n{time:.1f} s an epoch" if time else "")
            for point, count, time in zip(
                points, parameters, seconds, strict=True
            )
        ],
        fontsize="small",
    )
    ax.set_xlim(-0.5, len(points) - 0.5)
    label_axes(
        ax,
        "Loss of held-out training photos",
        "Unfrozen from here on",
        "Loss",
    )
    return ax


def _short(count):
    """Returns e.g. `1.2 M` for a number of parameters."""
    for unit, size in (("M", 1e6), ("K", 1e3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return str(count)
