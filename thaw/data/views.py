"""Views of photos, as pure functions of (seed, pass, photo)."""

import dataclasses
import functools
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from thaw.data.decode import load_photo, path_tensor
from thaw.data.photos import Photos
from thaw.data.resized import ResizedPhotos
from thaw.errors import shown

_SHOWN = 5  # names
_PHOTOS_AHEAD = 120  # decoded before they are asked for
_ORDER_STREAM = 1  # augmentation draws from stream 0 of the same key


def pass_order(seed: int, pass_index: int, num_photos: int) -> np.ndarray:
    """Returns the order of the photos in one pass, a permutation (N,).

    Args:
        seed: Seed of the run, in [0, 2**64).
        pass_index: Which pass over all photos, from 0.
        num_photos: Number of photos, N.
    """
    key = np.array([seed, pass_index], dtype="uint64")
    bits = np.random.Philox(key=key, counter=[0, 0, 0, _ORDER_STREAM])
    return np.random.Generator(bits).permutation(num_photos)


@dataclasses.dataclass(frozen=True, eq=False)
class PhotoViews:
    """The views of photos, and the order in which a pass takes them.

    Nothing here has a state: any batch can be made again.

    Attributes:
        photos: N `Photos`, best inspected.
        resize: Function from an image float32 (H, W, 3) to the same with
            `image_size` pixels a side.
        image_size: Pixels a side.
        seed: Seed of the order; None: always that of `photos`.
        augment: None, or an object like `augment.Affine`: it has
            `parameters(view, rows, size)`, an array with one row for each of
            these, and is called with (images, their rows of it).
        kept: Resized photos that are kept for other views; None: each view
            decodes its photo anew.
    """

    photos: Photos
    resize: Callable
    image_size: int
    seed: int | None = None
    augment: Any = None
    kept: ResizedPhotos | None = None

    @property
    def labels(self) -> np.ndarray:
        """The class of each photo, int32 (N,)."""
        return self.photos.labels

    def order(self, pass_index: int) -> np.ndarray:
        """Returns the rows of the photos in the order of a pass, (N,)."""
        if self.seed is None:
            return np.arange(len(self.photos))
        return pass_order(self.seed, pass_index, len(self.photos))

    def describe(self, rows: Sequence[int]) -> str:
        """Returns the first paths of some photos, and how many more."""
        names = [shown(self.photos.paths[row]) for row in rows[:_SHOWN]]
        more = len(rows) - len(names)
        return ", ".join(names) + (f" and {more} more" if more else "")

    def unchanged(self, rows: np.ndarray) -> np.ndarray:
        """Returns which files are still those inspected, bool (B,)."""
        return self.photos.unchanged(rows)

    def images(
        self, view: int, rows: np.ndarray, batch_size: int
    ) -> tf.data.Dataset:
        """Returns one view of each of some photos.

        Args:
            view: Which view, from 0; that of the same number of a pass.
            rows: Rows of the photos, ints.
            batch_size: Photos per batch, B; the last batch may be short.

        Returns:
            `tf.data.Dataset` of float32 (B, image_size, image_size, 3), RGB in
            [0, 255].
        """
        rows = np.asarray(rows, "int64")
        columns = {
            "row": rows,
            "path": path_tensor([self.photos.paths[x] for x in rows]),
        }
        if self.photos.inspections:
            columns["plain"] = self.photos.plain(rows)
        if self.augment is not None:
            size = (self.image_size, self.image_size)
            columns["parameters"] = self.augment.parameters(view, rows, size)
        ds = tf.data.Dataset.from_tensor_slices(columns).map(
            self._load, num_parallel_calls=os.cpu_count(), deterministic=True
        )
        ahead = max(2, _PHOTOS_AHEAD // batch_size)
        return without_autotuner(ds.batch(batch_size).prefetch(ahead))

    def _load(self, photo):
        def load():
            loaded = load_photo(
                photo["path"], photo.get("plain"), self.photos.pixel_ranges
            )
            return self.resize(loaded)

        if self.kept is None:
            image = load()
        else:
            image = self.kept.get(photo["row"], load)
        if self.augment is None:
            return image
        return self._augment_one(image, photo["parameters"])

    @functools.cached_property
    def _augment_one(self):
        # Compiled once; on single images, for each size of a batch would be
        # compiled anew.
        @tf.function(jit_compile=True)
        def augment_one(image, parameters):
            return self.augment(image[None], parameters[None])[0]

        return augment_one


def without_autotuner(ds: tf.data.Dataset) -> tf.data.Dataset:
    """Returns the dataset, without a thread that tunes it.

    That thread keeps the end of a dataset waiting until it next wakes up,
    seconds later.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return ds.with_options(options)
