"""Several runs over each other."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from plots.style import COLORS, add_words, new_axes

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
    lines = []
    for number, history in enumerate(runs.values()):
        values = np.array(history[f"val_{metric}"], float)
        (line,) = ax.plot(
            np.arange(1, len(values) + 1),
            values,
            linestyle=_LINES[number // len(COLORS) % len(_LINES)],
            color=COLORS[number % len(COLORS)],
            marker=_MARKERS[number // len(COLORS) % len(_MARKERS)],
            markersize=7,
            markevery=_kept(history["val_loss"]),
            linewidth=2,
        )
        lines.append(line)
    if metric == "loss":
        _scale_losses(ax, np.concatenate([line.get_ydata() for line in lines]))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    add_words(ax, f"Validation {metric}", "Epoch", metric.capitalize())
    _add_names(ax, lines, list(runs))
    return ax


def plot_comparison(runs: Mapping[str, History]) -> Figure:
    """Draws accuracy and loss of several runs side by side.

    Args:
        runs: As in `plot_runs`.
    """
    columns = 1 + all(len(name) <= _LETTERS_IN_TWO_COLUMNS for name in runs)
    rows = math.ceil(len(runs) / columns)
    figure = Figure(figsize=(11, 4.8 + 0.24 * rows), layout="constrained")
    for ax, metric in zip(
        figure.subplots(1, 2), ("accuracy", "loss"), strict=True
    ):
        plot_runs(runs, ax, metric=metric)
        lines = ax.get_lines()
        ax.get_legend().remove()
    _add_names(
        figure,
        lines,
        list(runs),
        loc="outside lower center",
        ncols=columns,
    )
    return figure


def _add_names(place, lines, names: Sequence[str], **options) -> None:
    """Adds the legend; names are text, whatever is in them."""
    # matplotlib leaves out labels that begin with an underscore.
    legend = place.legend(
        lines,
        [" "] * len(lines),
        title="With a mark at the kept epoch",
        title_fontsize="small",
        handlelength=4,  # dashes can be told apart
        **options,
    )
    for text, name in zip(legend.get_texts(), names, strict=True):
        if len(name) > _LETTERS:
            name = "\u2026" + name[1 - _LETTERS :]
        text.set_parse_math(False)
        text.set_text(name)


def _scale_losses(ax, losses):
    """Makes the axis logarithmic where a high loss would flatten all others."""
    positive = losses[np.isfinite(losses) & (losses > 0)]
    if positive.size and positive.max() > _RATIO * positive.min():
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter(NullFormatter())


def _kept(losses):
    """Returns the place of the lowest loss as a list, empty if it has none."""
    losses = np.array(losses, float)
    if not np.isfinite(losses).any():
        return []
    return [int(np.nanargmin(losses))]
