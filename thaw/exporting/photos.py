"""Photos to compare exports on, and training photos for the ranges of int8."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from thaw.data import MAX_PIXELS, decode, inspection_cache
from thaw.data.as_trained import photos_as_trained
from thaw.data.inspect import inspect_photos
from thaw.data.photos import Photos
from thaw.data.prepare import inspect_usable
from thaw.errors import UserError, shown
from thaw.runs import photo_tables
from thaw.runs.labelled_photos import find_labelled_photos

_SAMPLES = 100  # training photos that the ranges of int8 are taken from


class NotMade(RuntimeError):
    """An export can't be written, or doesn't run."""


def choose_photos(run, data: str | Path | None, limit: int) -> Photos:
    """Returns labelled photos that can be used, spread evenly.

    Args:
        run, data, limit: As in `export_run`.

    Raises:
        UserError: If there are none, or one is of another class.
    """
    photos = find_labelled_photos(run.path, data)
    usable, _ = inspect_usable(
        photos.take(decode.spread(len(photos), limit)),
        max_pixels=MAX_PIXELS,
        most_bad=1.0,
        way_out="Give photos to compare on: `data`",
        pixel_ranges=run.pixel_ranges,
    )
    return usable


def load_photos(photos: Photos) -> Iterator[np.ndarray]:
    """Yields raw photos, float32 (1, H, W, 3), as predict.py decodes them.

    Args:
        photos: Inspected photos that can be used.

    Raises:
        UserError: If one has changed since it was inspected.
    """
    for path, inspection in zip(photos.paths, photos.inspections, strict=True):
        try:
            loaded = decode.load_photo(
                path, inspection.plain, photos.pixel_ranges
            )
            yield loaded.numpy()[None]
        except tf.errors.OpError as error:
            raise UserError(
                f"{path} changed while it was being read."
            ) from error


def load_training_photos(run) -> Iterator[np.ndarray]:
    """Yields some training photos of a run, as `load_photos` does.

    Raises:
        NotMade: If none can be read.
    """
    paths = photo_tables.load_training_photos(run.path)
    if not paths:
        raise NotMade(
            "the run folder has no training_photos.csv; a new run leaves one."
        )
    rows = decode.spread(len(paths), _SAMPLES)
    photos = Photos.unlabelled([paths[row] for row in rows])
    photos = inspect_photos(photos, inspection_cache.default_memo())
    usable = photos_as_trained(photos, run.pixel_ranges).usable()
    if not len(usable):
        raise NotMade(
            "none of its training photos is where it was, e.g. "
            f"{shown(paths[0])}."
        )
    yield from load_photos(usable)
