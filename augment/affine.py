"""The classic augmentation: one random affine map per photo.

What `ImageDataGenerator` does with rotation, shifts, shear, zoom and flip
(keras/src/legacy/preprocessing/image.py), composed into one matrix per photo
and applied to the whole batch in one bilinear resampling.
"""

import dataclasses
from collections.abc import Sequence

import keras
import numpy as np
from numpy.typing import ArrayLike

from augment.parameters import pass_table


def affine_matrices(
    size: tuple[int, int],
    theta: ArrayLike = 0.0,
    shift_x: ArrayLike = 0.0,
    shift_y: ArrayLike = 0.0,
    shear: ArrayLike = 0.0,
    zoom_x: ArrayLike = 1.0,
    zoom_y: ArrayLike = 1.0,
    flip: ArrayLike = False,
) -> np.ndarray:
    """Returns the maps from output to input pixels, one per photo.

    Rotation, shift, shear and zoom about the middle of the image, in the order
    and the sense of `ImageDataGenerator.apply_transform`, then a mirror image
    where `flip` is set. Where the image is not square, the middle is the true
    one; `ImageDataGenerator` swaps its coordinates.

    Args:
        size: (height, width) in pixels.
        theta: Rotation in degrees, (N,).
        shift_x: Shift along the rows of pixels, in pixels, (N,).
        shift_y: Shift along the columns, in pixels, (N,).
        shear: Shear in degrees, (N,).
        zoom_x: Zoom along the rows, (N,); below 1 enlarges.
        zoom_y: Zoom along the columns, (N,).
        flip: Whether to mirror left and right, bool (N,).

    Returns:
        float32 (N, 8): a0, a1, a2, b0, b1, b2, 0, 0 as
        `keras.ops.image.affine_transform` takes them, where output (x, y) is
        read at input (a0 x + a1 y + a2, b0 x + b1 y + b2).
    """
    theta, shear = np.deg2rad(theta), np.deg2rad(shear)
    cos, sin = np.cos(theta), np.sin(theta)
    middle_x, middle_y = (size[1] - 1) / 2, (size[0] - 1) / 2
    # rotation @ shear @ zoom, written out
    a0 = cos * zoom_x
    a1 = (-cos * np.sin(shear) - sin * np.cos(shear)) * zoom_y
    b0 = sin * zoom_x
    b1 = (-sin * np.sin(shear) + cos * np.cos(shear)) * zoom_y
    a2 = (
        cos * shift_x - sin * shift_y + middle_x - a0 * middle_x - a1 * middle_y
    )
    b2 = (
        sin * shift_x + cos * shift_y + middle_y - b0 * middle_x - b1 * middle_y
    )
    # Mirrored last: x is replaced by (width - 1) - x.
    a0, a2 = (
        np.where(flip, -a0, a0),
        np.where(flip, a2 + a0 * (size[1] - 1), a2),
    )
    b0, b2 = (
        np.where(flip, -b0, b0),
        np.where(flip, b2 + b0 * (size[1] - 1), b2),
    )
    columns = np.broadcast_arrays(a0, a1, a2, b0, b1, b2, 0.0, 0.0)
    return np.stack(np.atleast_1d(*columns), axis=-1).astype("float32")


def warp(
    images: ArrayLike,
    matrices: ArrayLike,
    fill_mode: str = "nearest",
    size: tuple[int, int] | None = None,
):
    """Returns each image resampled by its matrix, bilinear.

    Args:
        images: float32 (B, H, W, C).
        matrices: float32 (B, 8), rows a0, a1, a2, b0, b1, b2, c0, c1: output
            (x, y) is read at ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k)
            with k = c0 x + c1 y + 1, as in
            `keras.ops.image.affine_transform`.
        fill_mode: What is read outside of the image: `nearest`, `reflect`,
            `wrap` or `constant` (black).
        size: (height, width) of the result; None: that of `images`.

    Returns:
        Tensor (B, *size, C) of the dtype of `images`.
    """
    # keras.ops.image.affine_transform does the same on TensorFlow, but in a
    # kernel that XLA cannot compile; compiled, this is four times as fast.
    ops = keras.ops
    images = ops.convert_to_tensor(images)
    batch = ops.shape(images)[0]
    height, width, channels = images.shape[1:]
    rows, columns = size or (height, width)
    x, y = ops.meshgrid(
        ops.arange(columns, dtype="float32"), ops.arange(rows, dtype="float32")
    )
    m = ops.convert_to_tensor(matrices)[:, :, None, None]
    k = m[:, 6] * x + m[:, 7] * y + 1
    source_x = _fold(
        (m[:, 0] * x + m[:, 1] * y + m[:, 2]) / k, width, fill_mode
    )
    source_y = _fold(
        (m[:, 3] * x + m[:, 4] * y + m[:, 5]) / k, height, fill_mode
    )
    left, top = ops.floor(source_x), ops.floor(source_y)
    pixels = ops.reshape(images, (batch * height * width, channels))
    first_pixel = ops.arange(batch, dtype="int32")[:, None, None] * (
        height * width
    )

    def weighted(column, row):
        """Returns the pixels (B, H, W, C) at a corner times their share."""
        weight = (1 - ops.abs(source_x - column)) * (
            1 - ops.abs(source_y - row)
        )
        inside_x = ops.clip(column, 0, width - 1)
        inside_y = ops.clip(row, 0, height - 1)
        if fill_mode == "constant":
            inside = (inside_x == column) & (inside_y == row)
            weight = ops.where(inside, weight, 0)
        index = ops.cast(inside_y * width + inside_x, "int32") + first_pixel
        return ops.take(pixels, index, axis=0) * weight[..., None]

    return (
        weighted(left, top)
        + weighted(left + 1, top)
        + weighted(left, top + 1)
        + weighted(left + 1, top + 1)
    )


def _fold(position, size, fill_mode):
    """Returns where in the image to read for positions beyond its edges."""
    ops = keras.ops
    if fill_mode == "constant":
        return position
    if fill_mode == "reflect":  # about the outer edge of the outermost pixel
        position = ops.mod(position + 0.5, 2 * size)
        position = ops.minimum(position, 2 * size - position) - 0.5
    elif fill_mode == "wrap":
        position = ops.mod(position, size)
    return ops.clip(position, 0, size - 1)


@dataclasses.dataclass(frozen=True)
class Affine:
    """Random views with the ranges of `ImageDataGenerator`.

    Attributes:
        seed: Seed of the run, in [0, 2**64).
        rotation_range: Degrees; angles are uniform in -range to range.
        width_shift_range: Share of the width, either way.
        height_shift_range: Share of the height, either way.
        shear_range: Degrees, either way.
        zoom_range: Zoom is uniform in 1 - range to 1 + range, each axis alone.
        horizontal_flip: Whether half of the views are mirrored.
        fill_mode: As in `warp`.
    """

    seed: int
    rotation_range: float = 40.0
    width_shift_range: float = 0.2
    height_shift_range: float = 0.2
    shear_range: float = 0.2
    zoom_range: float = 0.2
    horizontal_flip: bool = True
    fill_mode: str = "nearest"

    def source_size(self, image_size: int) -> int:
        """Returns the pixels a side to which photos are resized before."""
        return image_size

    def parameters(
        self,
        pass_index: int,
        rows: Sequence[int] | np.ndarray,
        size: tuple[int, int],
    ) -> np.ndarray:
        """Returns the maps of some photos in one pass, float32 (N, 8).

        Args:
            pass_index: Which pass over all photos, from 0.
            rows: Rows of the photos, ints (N,).
            size: (height, width) of the photos in pixels.
        """
        table = pass_table(self.seed, pass_index, rows, num_columns=7)
        spread = 2 * table.T - 1  # uniform in [-1, 1), one row a parameter
        return affine_matrices(
            size,
            theta=spread[0] * self.rotation_range,
            shift_x=spread[1] * self.width_shift_range * size[1],
            shift_y=spread[2] * self.height_shift_range * size[0],
            shear=spread[3] * self.shear_range,
            zoom_x=1 + spread[4] * self.zoom_range,
            zoom_y=1 + spread[5] * self.zoom_range,
            flip=(table[:, 6] < 0.5) & self.horizontal_flip,
        )

    def __call__(self, images, parameters):
        """Returns the views of a batch of images, float32 (B, H, W, 3)."""
        return warp(images, parameters, self.fill_mode)
