"""Validation curves of several runs."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from plots.style import COLORS, add_legend, label_axes, new_axes, short

History = Mapping[str, Sequence[float]]

_LINES = ("-", "--", ":", "-.")  # the next one where the colours are used up
_MARKERS = "osD^vP"
_LETTERS = 60  # of a name
_LETTERS_IN_TWO_COLUMNS = 44
_RATIO = 20  # of the highest loss to the lowest, for a logarithmic axis


def plot_runs(
    runs: Mapping[str, History],
    ax: Axes | None = None,
    *,
    metric: str = "accuracy",
) -> Axes:
    """Draws a validation metric of several runs over the epochs.

    Args:
        runs: By the name of the run, lists with one number an epoch:
            `val_loss` and `val_` + `metric`. A mark shows the epoch with the
            lowest validation loss, which is kept.
        ax: matplotlib axes to draw on; None: those of a new figure.
        metric: `accuracy` or `loss`.

    Returns:
        `matplotlib.axes.Axes`.
    """
    ax = ax or new_axes()
    for number, history in enumerate(runs.values()):
        values = np.array(history[f"val_{metric}"], float)
        ax.plot(
            np.arange(1, len(values) + 1),
            values,
            linestyle=_LINES[number // len(COLORS) % len(_LINES)],
            color=COLORS[number % len(COLORS)],
            marker=_MARKERS[number // len(COLORS) % len(_MARKERS)],
            markersize=7,
            markevery=_kept_epoch(history["val_loss"]),
            linewidth=2,
        )
    lines = ax.get_lines()[-len(runs) :]
    if metric == "loss":
        _scale_losses(ax, lines)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    label_axes(ax, f"Validation {metric}", "Epoch", metric.capitalize())
    _add_names(ax, lines, runs)
    return ax


def draw_comparison(runs: Mapping[str, History]) -> Figure:
    """Draws accuracy and loss of several runs side by side; returns the figure.

    Args:
        runs: As in `plot_runs`.
    """
    columns = 1 + all(len(name) <= _LETTERS_IN_TWO_COLUMNS for name in runs)
    rows = math.ceil(len(runs) / columns)
    figure = Figure(figsize=(11, 4.8 + 0.24 * rows), layout="constrained")
    both = figure.subplots(1, 2)
    for ax, metric in zip(both, ("accuracy", "loss"), strict=True):
        plot_runs(runs, ax, metric=metric)
        ax.get_legend().remove()
    lines = both[0].get_lines()
    place = {"loc": "outside lower center", "ncols": columns}
    _add_names(figure, lines, runs, **place)
    return figure


def _add_names(place, lines, names, **options):
    add_legend(
        place,
        lines,
        [short(name, _LETTERS) for name in names],
        title="With a mark at the kept epoch",
        title_fontsize="small",
        handlelength=4,  # dashes can be told apart
        **options,
    )


def _scale_losses(ax, lines):
    """Makes the axis logarithmic where a high loss would flatten all others."""
    losses = np.concatenate([line.get_ydata() for line in lines])
    positive = losses[np.isfinite(losses) & (losses > 0)]
    if positive.size and positive.max() > _RATIO * positive.min():
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter(NullFormatter())


def _kept_epoch(losses):
    """Returns the place of the lowest loss as a list, empty if it has none."""
    losses = np.array(losses, float)
    if not np.isfinite(losses).any():
        return []
    return [int(np.nanargmin(losses))]
