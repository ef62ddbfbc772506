"""Plane maps as 3 x 3 matrices, so that many become one resampling.

All are maps from output to input in coordinates that run from -1 to 1 between
the outer edges of an image; `pixel_matrices` makes them maps of pixels.
"""

import numpy as np
from numpy.typing import ArrayLike


def identity(num_photos: int) -> np.ndarray:
    """Returns N maps that change nothing, float64 (N, 3, 3)."""
    return np.tile(np.eye(3), (num_photos, 1, 1))


def crop(left: ArrayLike, top: ArrayLike, width: ArrayLike, height: ArrayLike):
    """Returns maps that show a part of the image.

    Args:
        left, top: Corner of the part, as shares of the image, (N,).
        width, height: Its sides, as shares of the image, (N,).
    """
    left, top, width, height = map(np.asarray, (left, top, width, height))
    matrices = identity(len(left))
    matrices[:, 0, 0], matrices[:, 1, 1] = width, height
    matrices[:, 0, 2] = 2 * left + width - 1
    matrices[:, 1, 2] = 2 * top + height - 1
    return matrices


def rotation(degrees: ArrayLike) -> np.ndarray:
    """Returns maps that turn a square image about its middle, (N, 3, 3)."""
    angle = np.deg2rad(degrees)
    matrices = identity(len(angle))
    matrices[:, 0, 0] = matrices[:, 1, 1] = np.cos(angle)
    matrices[:, 0, 1], matrices[:, 1, 0] = -np.sin(angle), np.sin(angle)
    return matrices


def mirror(flip: np.ndarray) -> np.ndarray:
    """Returns maps that mirror left and right where `flip`, bool (N,)."""
    matrices = identity(len(flip))
    matrices[:, 0, 0] = np.where(flip, -1, 1)
    return matrices


def tilt(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Returns maps that tilt the image away, in perspective, (N, 3, 3).

    Args:
        x, y: How far an edge moves, as a share of half of the image, (N,).
    """
    matrices = identity(len(x))
    matrices[:, 2, 0], matrices[:, 2, 1] = x, y
    return matrices


def pixel_matrices(
    matrices: np.ndarray, input_size: int, output_size: int
) -> np.ndarray:
    """Returns the maps in pixels, float32 (N, 8), as `warp` takes them.

    Args:
        matrices: (N, 3, 3).
        input_size: Pixels a side of the images.
        output_size: Pixels a side of the results.
    """
    # Pixel 0 has its middle at half a pixel from the edge.
    to_unit = np.array(
        [
            [2 / output_size, 0, 1 / output_size - 1],
            [0, 2 / output_size, 1 / output_size - 1],
            [0, 0, 1],
        ]
    )
    to_pixels = np.array(
        [
            [input_size / 2, 0, (input_size - 1) / 2],
            [0, input_size / 2, (input_size - 1) / 2],
            [0, 0, 1],
        ]
    )
    matrices = to_pixels @ matrices @ to_unit
    matrices = matrices / matrices[:, 2:, 2:]
    return matrices.reshape(-1, 9)[:, :8].astype("float32")
