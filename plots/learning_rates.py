"""Learning rates used by a run, and the range test that suggests one."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from plots.history import mark_unfreezing
from plots.style import COLORS, label_axes, new_axes


def plot_learning_rates(
    learning_rates: Mapping[str, Sequence[float]],
    ax: Axes | None = None,
    *,
    changes: Sequence[int] = (),
) -> Axes:
    """Draws the learning rate over the steps of a run; returns the axes.

    Args:
        learning_rates: That of every step by name of the layer group, each
            (S,); NaN where a group did not train.
        ax: matplotlib axes to draw on; None: those of a new figure.
        changes: Steps after which a new stage began.
    """
    ax = ax or new_axes()
    groups = list(learning_rates.items())
    for number, (name, values) in enumerate(groups):
        if not np.isnan(values).all():
            # Wider than each that is drawn over it, so that all are seen.
            covered = sum(_agree(values, x) for _, x in groups[number + 1 :])
            ax.plot(
                np.arange(1, len(values) + 1),
                values,
                color=COLORS[number % len(COLORS)],
                linewidth=2 + 3 * covered,
                label=name,
            )
    mark_unfreezing(ax, changes)
    ax.set_yscale("log")
    label_axes(ax, "Learning rate used", "Step", "Learning rate")
    return ax


def _agree(values, others):
    """Returns whether two groups have the same rates where both train."""
    values, others = np.asarray(values), np.asarray(others)
    both = ~np.isnan(values) & ~np.isnan(others)
    return both.any() and np.array_equal(values[both], others[both])


def plot_range_test(
    learning_rates: Sequence[float],
    losses: Sequence[float],
    suggestions: Mapping[str, float],
    ax: Axes | None = None,
) -> Axes:
    """Draws the smoothed loss over the learning rate; returns the axes.

    Args:
        learning_rates: Those of the range test, growing, (S,).
        losses: Smoothed loss at each, (S,).
        suggestions: Learning rates to mark, by the name of their rule.
        ax: matplotlib axes to draw on; None: those of a new figure.
    """
    ax = ax or new_axes()
    ax.plot(learning_rates, losses, color="0.25", linewidth=2)
    for color, marker, (name, suggested) in zip(
        COLORS, "osD^v", suggestions.items(), strict=False
    ):
        loss = np.interp(np.log(suggested), np.log(learning_rates), losses)
        label = f"{name}: {suggested:.1e}"
        ax.plot(suggested, loss, marker, color=color, markersize=9, label=label)
    # What diverges at the end would flatten all the rest.
    low, high = np.min(losses), min(np.max(losses), 1.5 * losses[0])
    margin = 0.1 * (high - low) + 1e-3
    ax.set_ylim(low - margin, high + margin)
    ax.set_xscale("log")
    title = "Loss while the learning rate grows"
    label_axes(ax, title, "Learning rate", "Training loss, smoothed")
    return ax
