"""Contact sheet of photos, a section per kind of quality issue."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from plots.style import short

_COLUMNS = 6
_INCHES = 1.8  # of a photo
_LETTERS = 30  # of a name


def draw_contact_sheet(
    sections: Sequence[tuple[str, Sequence[tuple[str, np.ndarray]]]],
) -> Figure:
    """Draws a row of photos for each section; returns the figure.

    Args:
        sections: Pairs of a title and up to six photos, each of which is its
            name and its pixels, uint8 (H, W, 3), RGB.
    """
    figure = Figure(
        figsize=(_COLUMNS * _INCHES, len(sections) * (_INCHES + 0.6)),
        layout="constrained",
    )
    rows = figure.subfigures(len(sections), squeeze=False).ravel()
    for row, (title, photos) in zip(rows, sections, strict=True):
        row.suptitle(title, x=0.01, ha="left", fontsize=11, weight="bold")
        for ax in (all_axes := row.subplots(1, _COLUMNS)):
            ax.axis("off")
        for ax, (name, photo) in zip(all_axes, photos, strict=False):
            ax.imshow(_in_square(photo))
            name = short(name, _LETTERS)
            ax.set_title(name, fontsize=7, y=-0.04, va="top", parse_math=False)
    return figure


def _in_square(photo):
    """Returns `photo` on white, so that the names of a row are on one line."""
    height, width, _ = photo.shape
    side = max(height, width)
    square = np.full((side, side, 3), 255, "uint8")
    left = (side - width) // 2
    square[side - height :, left : left + width] = photo
    return square
