"""fastai's presizing: resize large, then all that is random in one step."""

import dataclasses
from collections.abc import Sequence

import keras
import numpy as np

from augment import homography
from augment.affine import warp
from augment.parameters import pass_table

_LARGE, _SMALL = 460, 224  # of the text; other sizes in proportion
_P_EACH = 0.75  # share of the views that a transform changes
_MAX_ROTATION = 10.0  # degrees
_MAX_ZOOM = 1.1
_MAX_TILT = 0.2
_MAX_LIGHTING = 0.2
_MIN_AREA = 0.75


@dataclasses.dataclass(frozen=True)
class Presize:
    """Flip, rotation, zoom, perspective, crop and light, resampled once.

    Howard & Gugger 2020 (arXiv:2002.04688) and "Deep Learning for Coders",
    chapter 5, with the numbers of fastai's `aug_transforms(size=224,
    min_scale=0.75)` (fastai/vision/augment.py): each transform changes three
    quarters of the views.

    Attributes:
        seed: Seed of the run, in [0, 2**64).
        image_size: Pixels a side of the views.
    """

    seed: int
    image_size: int

    def source_size(self, image_size: int) -> int:
        """Returns the pixels a side to which photos are resized before."""
        return round(image_size * _LARGE / _SMALL)

    def parameters(
        self,
        pass_index: int,
        rows: Sequence[int] | np.ndarray,
        size: tuple[int, int],
    ) -> np.ndarray:
        """Returns maps and light of some photos in one pass, float32 (N, 10).

        Args:
            pass_index: Which pass over all photos, from 0.
            rows: Rows of the photos, ints (N,).
            size: (height, width) of the photos in pixels, equal.

        Returns:
            As `warp` takes them, then brightness and contrast.
        """
        columns = iter(pass_table(self.seed, pass_index, rows, 17).T)

        def some(values, unchanged):
            """Returns `values` for three quarters of the photos."""
            return np.where(next(columns) < _P_EACH, values, unchanged)

        def spread():
            return 2 * next(columns) - 1  # uniform in [-1, 1)

        mirrored = homography.mirror(next(columns) < 0.5)
        turned = homography.rotation(some(spread() * _MAX_ROTATION, 0.0))
        side = 1 / some(1 + next(columns) * (_MAX_ZOOM - 1), 1.0)
        zoomed = homography.crop(
            next(columns) * (1 - side), next(columns) * (1 - side), side, side
        )
        changed = some(1.0, 0.0)
        tilted = homography.tilt(
            changed * spread() * _MAX_TILT, changed * spread() * _MAX_TILT
        )
        side = np.sqrt(_MIN_AREA + next(columns) * (1 - _MIN_AREA))
        cropped = homography.crop(
            next(columns) * (1 - side), next(columns) * (1 - side), side, side
        )
        brightness = some(0.5 + spread() * _MAX_LIGHTING / 2, 0.5)
        contrast = some(np.exp(spread() * -np.log1p(-_MAX_LIGHTING)), 1.0)
        matrices = homography.pixel_matrices(
            mirrored @ turned @ zoomed @ tilted @ cropped,
            size[0],
            self.image_size,
        )
        light = np.stack([np.log(brightness / (1 - brightness)), contrast], 1)
        return np.concatenate([matrices, light], axis=1).astype("float32")

    def __call__(self, images, parameters):
        """Returns the views, float32 (B, image_size, image_size, 3)."""
        ops = keras.ops
        size = (self.image_size, self.image_size)
        views = warp(images, parameters[:, :8], "reflect", size)
        # Light is added to the logit, so that nothing is cut off.
        share = ops.clip(views / 255, 1e-3, 1 - 1e-3)
        logit = ops.log(share) - ops.log1p(-share)
        brightness, contrast = (
            parameters[:, i, None, None, None] for i in (8, 9)
        )
        return 255 * ops.sigmoid((logit + brightness) * contrast)
