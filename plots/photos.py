"""Grid of photos."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

_SIDE = 1.6  # inches of a photo's longer side
_CELL = 1.7, 1.9  # width and height, with the title


def draw_photos(
    images: Sequence[np.ndarray] | np.ndarray,
    titles: Sequence[str],
    *,
    columns: int = 6,
) -> Figure:
    """Draws photos with a title each; returns the figure.

    Args:
        images: (N, H, W, 3), RGB in [0, 255].
        titles: Text over each photo.
        columns: Photos in a row.
    """
    width, height = _CELL
    rows = math.ceil(len(images) / columns)
    figure = Figure(figsize=(width * columns, height * rows))
    # One for all, in inches from the top left: an axes for each photo would
    # take twice as long.
    ax = figure.add_axes((0, 0, 1, 1))
    for place, (image, title) in enumerate(zip(images, titles, strict=False)):
        row, column = divmod(place, columns)
        inches = _SIDE / max(image.shape[:2])
        left = width * column + (width - _SIDE) / 2
        bottom = height * (row + 1) - (width - _SIDE) / 2
        right = left + inches * image.shape[1]
        top = bottom - inches * image.shape[0]
        image = np.clip(image, 0, 255).astype("uint8")
        ax.imshow(image, extent=(left, right, bottom, top))
        # From the left edge of the photo: over the next where that has none.
        ax.text(left, top - 0.06, title, fontsize=10, parse_math=False)
    ax.set(xlim=(0, width * columns), ylim=(height * rows, 0))
    ax.axis("off")
    return figure
