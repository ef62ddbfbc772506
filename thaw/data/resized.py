"""Resized photos in memory, so that their other views need no decoding."""

import math
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

_LARGEST_SHARE = 0.25  # of the memory that is available
_MOST_BYTES = 3_000_000_000


class ResizedPhotos:
    """Resized photos by row, to be used in the graph of a dataset."""

    def __init__(self, image_size: int):
        """Begins with none.

        Args:
            image_size: Pixels a side.
        """
        self._shape = (image_size, image_size, 3)
        self._photos = tf.lookup.experimental.MutableHashTable(
            "int64",
            "float32",
            tf.fill([math.prod(self._shape)], math.nan),
            experimental_is_anonymous=True,  # else it is never freed
        )

    def get(self, row: tf.Tensor, load: Callable) -> tf.Tensor:
        """Returns a photo, float32 (image_size, image_size, 3).

        Args:
            row: Its row, int64 ().
            load: Function that loads and resizes it, where it is missing.
        """
        kept = self._photos.lookup(row)

        def load_and_keep():
            photo = load()
            self._photos.insert(row, tf.reshape(photo, [-1]))
            return photo

        photo = tf.cond(
            tf.math.is_nan(kept[0]),
            load_and_keep,
            lambda: tf.reshape(kept, self._shape),
        )
        return tf.ensure_shape(photo, self._shape)


def has_room(num_photos: int, image_size: int) -> bool:
    """Returns whether a quarter of the available memory holds resized photos.

    And 3 GB: many small photos are decoded again, in the memory of few.

    Where it isn't known how much is available, the answer is no.

    Args:
        num_photos: Number of photos.
        image_size: Pixels a side.
    """
    information = Path("/proc/meminfo")
    if not information.exists():
        return False
    for line in information.read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            available = 1024 * int(value.split()[0])
            needed = num_photos * image_size**2 * 3 * 4
            return needed <= min(_LARGEST_SHARE * available, _MOST_BYTES)
    return False
