"""Grid of photos."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure


def draw_photos(
    images: np.ndarray, titles: Sequence[str], *, columns: int = 6
) -> Figure:
    """Draws photos with a title each; returns the figure.

    Args:
        images: (N, H, W, 3), RGB in [0, 255].
        titles: Text over each photo.
        columns: Photos in a row.
    """
    rows = math.ceil(len(images) / columns)
    figure = Figure(
        figsize=(1.7 * columns, 1.9 * rows + 0.1), layout="constrained"
    )
    all_axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax in all_axes:
        ax.axis("off")
    for ax, image, title in zip(all_axes, images, titles, strict=False):
        ax.imshow(np.clip(image, 0, 255).astype("uint8"))
        # From the left edge of the photo: over the next where that has none.
        ax.set_title(title, fontsize=10, loc="left", parse_math=False)
    return figure
