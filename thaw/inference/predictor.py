"""From paths of photos to probabilities, in parts: memory stays flat.

    for contents in check_in_parts(parts, max_pixels):
        for batch in Predictor(model).predict(contents):
            batch.rows, batch.probabilities

Of photos that were checked already, `predict_photos` is all it takes.
"""

import contextlib
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from model_zoo import preprocessing
from thaw.data import decode, inspection_cache
from thaw.data.inspect import Checker
from thaw.data.inspection_cache import Contents
from thaw.inference.outputs import Outputs, OutputsModel

_AHEAD = 2  # batches that are read while another is computed
_SMALLEST = 4  # photos in a batch, the padding included


class Batch(NamedTuple):
    """What a model says of some photos.

    Attributes:
        rows: The photos' rows in their `Contents`, int64 (B,).
        images: As the model sees them, resized, float32 (B, H, W, 3).
        probabilities: float32 (B, number of classes).
        lost: Row and reason of each photo that could be read when it was
            checked, and no longer; these are not in `rows`.
        outputs: `thaw.inference.outputs.Outputs` of the photos.
    """

    rows: np.ndarray
    images: np.ndarray
    probabilities: np.ndarray
    lost: list[tuple[int, str]]
    outputs: Outputs


def check_in_parts(
    parts: Iterable[Sequence[str]], max_pixels: int
) -> Iterator[Contents]:
    """Yields the `Contents` of each part of a long list of photos.

    A part is asked for when the one before has been dealt with. What is found
    is kept in the user's cache, as by train.py.

    Args:
        parts: Lists of paths.
        max_pixels: Photos with more cannot be used.
    """
    memo = inspection_cache.default_memo()
    with contextlib.closing(Checker(max_pixels)) as checker:
        for paths in parts:
            yield inspection_cache.check_contents(
                paths, memo, max_pixels, check=checker.check
            )


def predict_photos(
    model: keras.Model, checked: Contents, batch_size: int = 32
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields (rows, probabilities) of photos, batch after batch.

    Args:
        model: Model of a run folder.
        checked: `Contents` of the photos; those that cannot be used, or no
            longer can, are left out.
        batch_size: Photos at a time.

    Yields:
        Rows in `checked`, int64 (B,), ascending, and probabilities, float32
        (B, number of classes); of a model with one sigmoid unit, two columns.
    """
    for batch in Predictor(model, batch_size).predict(checked):
        yield batch.rows, batch.probabilities


class Predictor:
    """A model, with all that is made once for any number of photos."""

    def __init__(self, model: keras.Model, batch_size: int = 32):
        """Takes the model apart.

        Args:
            model: Model of a run folder.
            batch_size: Photos at a time.
        """
        # Photos of one batch have one size, so they are resized before it.
        resized = model.get_layer("resize").output
        self._after_resizing = OutputsModel(model, [resized])
        self._size = tuple(resized.shape[1:])
        self._batch_size = batch_size
        resize = preprocessing.resizing_of(model)
        self._load = tf.function(
            lambda path, plain: resize(decode.load_photo(path, plain)),
            input_signature=[
                tf.TensorSpec((), "string"),
                tf.TensorSpec((), "bool"),
            ],
            autograph=False,
        )
        self._load.get_concrete_function()

    def predict(self, checked: Contents) -> Iterator[Batch]:
        """Yields a `Batch` for every few photos that can be used, in order.

        Args:
            checked: `Contents` of the photos.
        """
        usable = [
            row for row, look in enumerate(checked.found) if look.reason is None
        ]
        # Not tf.data: there one file that is gone ends all.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            waiting = deque()
            for start in range(0, len(usable), self._batch_size):
                rows = usable[start : start + self._batch_size]
                reads = [
                    pool.submit(
                        self.read, checked.paths[row], checked.found[row].plain
                    )
                    for row in rows
                ]
                waiting.append((rows, reads))
                if len(waiting) > _AHEAD:
                    yield self._make_batch(*waiting.popleft())
            while waiting:
                yield self._make_batch(*waiting.popleft())

    def read(self, path: str, plain: bool) -> np.ndarray | str:
        """Returns a photo as the model sees it, or why there is none.

        Args:
            path: Path of the photo.
            plain: `Found.plain` of it.

        Returns:
            Resized, float32 (H, W, 3), RGB in [0, 255].
        """
        try:
            # Names of files are bytes; not every one is valid UTF-8.
            return self._load(os.fsencode(path), plain).numpy()
        except tf.errors.NotFoundError:
            return "No such file or directory"
        except tf.errors.OpError as error:
            return f"changed while it was read ({type(error).__name__})"

    def _make_batch(self, rows, reads):
        results = [read.result() for read in reads]
        lost = [
            (row, result)
            for row, result in zip(rows, results, strict=True)
            if isinstance(result, str)
        ]
        images = [result for result in results if not isinstance(result, str)]
        kept = sorted(set(rows) - {row for row, _ in lost})
        images = np.array(images, "float32").reshape(-1, *self._size)
        outputs = self.compute(images)
        return Batch(
            np.array(kept, "int64"),
            images,
            outputs.probabilities,
            lost,
            outputs,
        )

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
