"""Training curves in the classic form: training dots, validation line."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

TRAINING_COLOR, VALIDATION_COLOR = "#0072b2", "#d55e00"  # Okabe & Ito 2008


def plot_history(
    history, ax: Axes | None = None, *, metric: str = "accuracy"
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

    Returns:
        `matplotlib.axes.Axes`.

    Raises:
        KeyError: If `history` lacks the metric.
    """
    history = getattr(history, "history", history)
    stages = history.get("stage", [])
    if ax is None:
        ax = Figure(figsize=(7, 4.5), layout="constrained").add_subplot()
    epochs = range(1, len(history[metric]) + 1)
    ax.plot(
        epochs,
        history[metric],
        "o",
        color=TRAINING_COLOR,
        label=f"Training {metric}",
    )
    ax.plot(
        epochs,
        history[f"val_{metric}"],
        "-" if len(epochs) > 1 else "_",  # a line of one point is invisible
        color=VALIDATION_COLOR,
        linewidth=2,
        label=f"Validation {metric}",
    )
    changes = [i for i in range(1, len(stages)) if stages[i] != stages[i - 1]]
    for number, change in enumerate(changes):
        ax.axvline(
            change + 0.5,
            color="0.4",
            linestyle="--",
            linewidth=1.2,
            label="Unfreezing" if number == 0 else None,
        )
    ax.set_title(f"Training and validation {metric}")
    ax.set_xlabel("Epoch")
    ax.set_ylabel(metric.capitalize())
    ax.set_xlim(0.5, len(epochs) + 0.5)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(alpha=0.25)
    ax.legend()
    return ax
