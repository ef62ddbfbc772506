"""Random crops, resized: the augmentation of ImageNet training."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from augment import homography
from augment.affine import warp
from augment.parameters import pass_table

_TRIES = 10
_ENLARGED = 2  # so that a small crop still has pixels of its own


@dataclasses.dataclass(frozen=True)
class Crop:
    """A random part of the photo, mirrored half of the time.

    Szegedy et al. 2014 (arXiv:1409.4842), with the numbers of torchvision's
    `RandomResizedCrop`: 8% to 100% of the area, sides at 3:4 to 4:3 (of the
    photo after it was made square).

    Attributes:
        seed: Seed of the run, in [0, 2**64).
        image_size: Pixels a side of the views.
        min_area, max_area: Bounds of the part's share of the area.
    """

    seed: int
    image_size: int
    min_area: float = 0.08
    max_area: float = 1.0

    def source_size(self, image_size: int) -> int:
        """Returns the pixels a side to which photos are resized before."""
        return _ENLARGED * image_size

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
            size: (height, width) of the photos in pixels, equal.
        """
        table = pass_table(self.seed, pass_index, rows, 2 * _TRIES + 3)
        area = self.min_area + table[:, :_TRIES] * (
            self.max_area - self.min_area
        )
        ratio = np.exp((2 * table[:, _TRIES:-3] - 1) * np.log(4 / 3))
        width, height = np.sqrt(area * ratio), np.sqrt(area / ratio)
        # The first that is inside; the whole photo where none is.
        inside = (width <= 1) & (height <= 1)
        first = inside.argmax(axis=1)[:, None]
        width, height = (
            np.where(
                inside.any(axis=1),
                np.take_along_axis(sides, first, axis=1)[:, 0],
                1.0,
            )
            for sides in (width, height)
        )
        left, top = table[:, -3] * (1 - width), table[:, -2] * (1 - height)
        matrices = homography.crop(
            left, top, width, height
        ) @ homography.mirror(table[:, -1] < 0.5)
        return homography.pixel_matrices(matrices, size[0], self.image_size)

    def __call__(self, images, parameters):
        """Returns the views, float32 (B, image_size, image_size, 3)."""
        return warp(images, parameters, size=(self.image_size,) * 2)
