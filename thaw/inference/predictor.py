"""Predictor: from the paths of photos to outputs of a model, in batches.

for photos in inspect_in_parts(parts, inspector, max_pixels):
    for batch in Predictor(model).predict(photos):
        batch.rows, batch.outputs.probabilities
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from model_zoo import preprocessing
from thaw.data import decode, inspection_cache
from thaw.data.as_trained import photos_as_trained
from thaw.data.inspect import inspect_photos
from thaw.data.inspect_worker import Inspection
from thaw.data.inspector import Inspector
from thaw.data.photos import Photos
from thaw.inference.outputs import Outputs, OutputsModel
from thaw.inference.photo_parts import StagedPart
from thaw.pixel_range import PixelRange

BATCH_SIZE = 32  # photos, unless said otherwise
_AHEAD = 2  # batches that are read while another is computed
_SMALLEST = 4  # photos in a batch, the padding included


class Batch(NamedTuple):
    """Some photos and the outputs of a model.

    Attributes:
        rows: Rows of the photos in their `Photos`, int64 (B,), ascending.
        images: Input of the model, resized, float32 (B, H, W, 3).
        outputs: Outputs of the model.
        bad: Row and reason of each photo between them that can't be used, or
            no longer.
    """

    rows: np.ndarray
    images: np.ndarray
    outputs: Outputs
    bad: list[tuple[int, str]]


def inspect_in_parts(
    parts: Iterable[Sequence[str]],
    inspector: Inspector,
    max_pixels: int,
    pixel_ranges: Mapping[str, PixelRange] | None = None,
) -> Iterator[Photos]:
    """Yields the inspected photos of each part of a long list.

    A part is asked for when the one before has been dealt with. Inspections
    are kept in the user's cache, as by train.py.

    Args:
        parts: Lists of paths, and `StagedPart`s, whose files are known only
            while they are used: their inspections aren't kept.
        inspector: Processes that inspect.
        max_pixels: Photos with more pixels cannot be used.
        pixel_ranges: `Run.pixel_ranges` of the run.
    """
    memo = inspection_cache.default_memo()
    for part in parts:
        paths, kept = part, memo
        if isinstance(part, StagedPart):
            paths, kept = part.paths, None
        photos = inspect_photos(
            Photos.unlabelled(paths), kept, max_pixels, inspector=inspector
        )
        yield photos_as_trained(photos, pixel_ranges)


class Predictor:
    """A model, with all that is made once for any number of photos."""

    def __init__(
        self,
        model: keras.Model,
        batch_size: int = BATCH_SIZE,
        pixel_ranges: Mapping[str, PixelRange] | None = None,
    ):
        """Splits the model.

        Args:
            model: Model of a run folder.
            batch_size: Photos at a time.
            pixel_ranges: `Run.pixel_ranges` of the run.
        """
        # Photos of one batch have one size, so they are resized before it.
        resized = model.get_layer("resize").output
        self._after_resizing = OutputsModel(model, [resized])
        self._size = tuple(resized.shape[1:])
        self._batch_size = batch_size
        resize = preprocessing.resizing_of(model)
        self._load = tf.function(
            lambda path, plain: resize(
                decode.load_photo(path, plain, pixel_ranges)
            ),
            input_signature=[
                tf.TensorSpec((), "string"),
                tf.TensorSpec((), "bool"),
            ],
            autograph=False,
        )
        self._load.get_concrete_function()

    def predict(self, photos: Photos) -> Iterator[Batch]:
        """Yields all photos in batches, in order.

        A batch has at most `batch_size` photos that can be used, and those
        between them that can't.

        Args:
            photos: Inspected photos.
        """
        usable = [x.reason is None for x in photos.inspections]
        lasts = np.flatnonzero(usable)[self._batch_size - 1 :: self._batch_size]
        # Not tf.data: there one missing file ends all.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            waiting = deque()
            for rows in np.split(np.arange(len(photos)), lasts + 1):
                reads = [
                    pool.submit(
                        self.read, photos.paths[row], photos.inspections[row]
                    )
                    for row in rows
                ]
                waiting.append((rows, reads))
                if len(waiting) > _AHEAD:
                    yield from self._make_batch(*waiting.popleft())
            for rows, reads in waiting:
                yield from self._make_batch(rows, reads)

    def read(self, path: str, inspection: Inspection) -> np.ndarray | str:
        """Returns a photo as the model sees it, or the reason why it can't.

        Args:
            path: Path of the photo.
            inspection: Its inspection.

        Returns:
            Resized, float32 (H, W, 3), RGB in [0, 255].
        """
        if inspection.reason is not None:
            return inspection.reason
        try:
            path = decode.path_tensor(path)
            return self._load(path, inspection.plain).numpy()
        except tf.errors.NotFoundError:
            return "No such file or directory"
        except tf.errors.OpError as error:
            return f"changed while it was read ({type(error).__name__})"

    def compute(self, images: np.ndarray) -> Outputs:
        """Returns the `Outputs` of photos.

        Alone, a photo gets other last bits than among others (3e-7, measured
        on CPUs), from four on the same; so a short batch is padded, but not to
        the full size, which on VGG16 would take 5 seconds for one photo.

        Args:
            images: As `read` returns them, float32 (B, H, W, 3).
        """
        size = _SMALLEST
        while size < len(images):
            size *= 2
        padding = [(0, size - len(images)), (0, 0), (0, 0), (0, 0)]
        outputs = self._after_resizing([np.pad(images, padding)])
        return Outputs(*(array[: len(images)] for array in outputs))

    def _make_batch(self, rows, reads):
        """Yields the batch of some photos, unless there are none."""
        results = [read.result() for read in reads]
        is_bad = np.array([isinstance(x, str) for x in results], bool)
        images = [x for x in results if not isinstance(x, str)]
        images = np.array(images, "float32").reshape(-1, *self._size)
        bad = [(int(row), results[row - rows[0]]) for row in rows[is_bad]]
        if len(rows):
            yield Batch(rows[~is_bad], images, self.compute(images), bad)
