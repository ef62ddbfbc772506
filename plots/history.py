"""Training curves in the classic form: training dots, validation line."""

import itertools
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from plots.style import (
    TRAINING_COLOR,
    VALIDATION_COLOR,
    label_axes,
    new_axes,
)


def plot_history(
    history,
    ax: Axes | None = None,
    *,
    metric: str = "accuracy",
    smoothing: float = 0.0,
) -> Axes:
    """Draws a metric over the epochs, counted from 1; returns the axes.

    The figure (`ax.figure`) is made without pyplot and so needs no display
    and leaves no state behind.

    Args:
        history: `keras.callbacks.History`, or its `history`: a dict with the
            lists `metric` and `val_` + `metric`, one number an epoch; where
            it has a list `stage`, the moment of unfreezing, in which the name
            changes, is drawn as a vertical line.
        ax: matplotlib axes to draw on; None: those of a new figure.
        metric: `accuracy` or `loss`.
        smoothing: As in `smooth`, of both curves.

    Returns:
        `matplotlib.axes.Axes`.

    Raises:
        KeyError: If `history` lacks the metric.
    """
    history = getattr(history, "history", history)
    stages = history.get("stage", [])
    ax = ax or new_axes()
    epochs = range(1, len(history[metric]) + 1)
    ax.plot(
        epochs,
        smooth(history[metric], smoothing),
        "o",
        color=TRAINING_COLOR,
        label=f"Training {metric}",
    )
    ax.plot(
        epochs,
        smooth(history[f"val_{metric}"], smoothing),
        "-" if len(epochs) > 1 else "_",  # a line of one point is invisible
        color=VALIDATION_COLOR,
        linewidth=2,
        label=f"Validation {metric}",
    )
    changes = [i for i in range(1, len(stages)) if stages[i] != stages[i - 1]]
    mark_unfreezing(ax, changes)
    smoothed = f", smoothed by {smoothing:g}" if smoothing else ""
    ax.set_xlim(0.5, len(epochs) + 0.5)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    title = f"Training and validation {metric}{smoothed}"
    label_axes(ax, title, "Epoch", metric.capitalize())
    return ax


def plot_step_losses(
    steps: Sequence[int],
    losses: Sequence[float],
    ax: Axes | None = None,
    *,
    changes: Sequence[int] = (),
) -> Axes:
    """Draws the training loss of every few steps; returns the axes.

    Args:
        steps: Steps from 1 over all stages, (S,).
        losses: Mean training loss since the step before, (S,).
        ax: matplotlib axes to draw on; None: those of a new figure.
        changes: Steps after which a new stage began.
    """
    ax = ax or new_axes()
    ax.plot(steps, losses, color=TRAINING_COLOR, alpha=0.35, linewidth=1)
    smoothing = max(0.0, 1 - 20 / len(losses))  # about a twentieth of all
    ax.plot(
        steps,
        smooth(losses, smoothing),
        color=TRAINING_COLOR,
        linewidth=2,
        label=f"Training loss, smoothed by {smoothing:.2g}",
    )
    mark_unfreezing(ax, changes)
    label_axes(ax, "Training loss by step", "Step", "Loss")
    return ax


def smooth(values: Sequence[float], smoothing: float) -> np.ndarray:
    """Returns the moving average of "Deep Learning with Python", float (S,).

    Args:
        values: (S,).
        smoothing: Weight of the average so far, in [0, 1); 0: as they are.
    """
    averages = itertools.accumulate(
        values, lambda mean, x: smoothing * mean + (1 - smoothing) * x
    )
    return np.array(list(averages))


def mark_unfreezing(ax: Axes, changes: Sequence[float]) -> None:
    """Draws a vertical line after each of the epochs or steps `changes`."""
    for number, change in enumerate(changes):
        ax.axvline(
            change + 0.5,
            color="0.4",
            linestyle="--",
            linewidth=1.2,
            label="Unfreezing" if number == 0 else None,
        )
