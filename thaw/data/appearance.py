"""Appearance of a photo: perceptual hash, grey, spread of its colours."""

from typing import NamedTuple

import numpy as np
from PIL import Image

_GRID = (36, 32)  # cells
FLAT = 3.0  # levels of 255, standard deviation
_GREY = 8  # levels of 255; compression alone leaves less


class Appearance(NamedTuple):
    """A photo's looks, in short.

    Attributes:
        perceptual_hash: 128 bits that photos which look the same share, or
            nearly all; None where there is too little to see.
        grey: Whether there is no colour in it.
        spread: Standard deviation over the photo, levels of 255, of the colour
            channel where it is largest.
    """

    perceptual_hash: int | None
    grey: bool
    spread: float


def appearance_of(photo: np.ndarray) -> Appearance:
    """Returns the appearance of a photo, uint8 (H, W, 3).

    Its hash is a difference hash (N. Krawetz 2013, "Kind of like that"): which
    of two neighbours is brighter, along the rows of a grid of 9 x 8 cells and
    down the columns of one of 8 x 9. Size, compression and small changes of
    light leave it nearly as it is.
    """
    small = Image.fromarray(photo).resize(_GRID, Image.Resampling.BOX)
    cells = np.asarray(small, "int64")  # (32, 36, 3)
    colour = cells.max(axis=-1) - cells.min(axis=-1)
    grey = small.convert("L")
    across, down = (
        np.asarray(grey.resize(size, Image.Resampling.BOX), "int64")
        for size in ((9, 8), (8, 9))
    )
    perceptual_hash = None
    if across.std() >= FLAT:
        brighter = (across[:, 1:] > across[:, :-1], down[1:] > down[:-1])
        perceptual_hash = int.from_bytes(np.packbits(brighter).tobytes(), "big")
    return Appearance(
        perceptual_hash,
        grey=bool(colour.max() <= _GREY),
        spread=float(cells.std(axis=(0, 1)).max()),
    )
