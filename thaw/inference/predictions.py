"""Predictions for photos of any number, in parts: memory stays flat."""

import dataclasses
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from thaw.data import MAX_PIXELS, quality_report
from thaw.data.inspector import Inspector
from thaw.errors import UserError
from thaw.inference.grad_cam import GradCam
from thaw.inference.photo_parts import find_source, make_parts, staged
from thaw.inference.predictor import (
    BATCH_SIZE,
    Batch,
    Predictor,
    inspect_in_parts,
)
from thaw.progress import warn

PathOrPaths = str | os.PathLike | Iterable[str | os.PathLike]


@dataclasses.dataclass(frozen=True)
class Prediction:
    """The prediction for one photo, or the reason why there is none.

    Attributes:
        path: Path of the photo.
        label: Name of the likeliest class; None if the photo can't be used.
        probability: Probability of that class, or None.
        probabilities: Probability of each class, by name.
        top: Name and probability of the likeliest classes, likeliest first.
        error: Why the photo can't be used, e.g. `not an image`, or None.
    """

    path: str
    label: str | None = None
    probability: float | None = None
    probabilities: dict[str, float] = dataclasses.field(default_factory=dict)
    top: list[tuple[str, float]] = dataclasses.field(default_factory=list)
    error: str | None = None


def predict(
    run,
    photos: PathOrPaths,
    *,
    top: int | None = None,
    batch_size: int = BATCH_SIZE,
    max_pixels: int = MAX_PIXELS,
) -> Iterator[Prediction]:
    """Returns an iterator of predictions, one for each photo, in order.

    Photos are read while they are asked for, so there may be any number. The
    probabilities are those of predict.py, bit for bit. A photo that can't be
    used has no `label`, and says why in `error`; the others go on.

    Args:
        run: `thaw.Run`, or anything with its `model`, `class_names` and
            `pixel_ranges`.
        photos: Path of a photo, a folder, a glob, tar files, an address
            (`s3://...`), or a list of these.
        top: Number of classes in `Prediction.top`, at least 1; None: all.
        batch_size: Photos at a time.
        max_pixels: Photos with more pixels can't be used.

    Raises:
        UserError: If a path, folder or glob stands for no photo.

    Example:

    ```python
    for prediction in predict(thaw.load_run("runs/latest"), "holiday/"):
        if prediction.error is None:
            print(prediction.path, prediction.label, prediction.probability)
    ```
    """
    for name, value in (("top", top), ("batch_size", batch_size)):
        if value is not None and value < 1:
            raise UserError(f"`{name}` must be at least 1. Received: {value}")
    return predict_parts(
        run,
        _find_parts(photos),
        top=top,
        batch_size=batch_size,
        max_pixels=max_pixels,
    )


def predict_parts(
    run,
    parts: Iterable[Sequence[str]],
    *,
    on_batch: Callable[[Batch, list[Prediction]], None] | None = None,
    **options,
) -> Iterator[Prediction]:
    """Yields predictions of photos that are still being listed.

    Args:
        run: As in `predict`.
        parts, on_batch: As in `PartPredictor.predict`.
        **options: Other arguments of `PartPredictor`.
    """
    with PartPredictor(run, **options) as predictor:
        yield from predictor.predict(parts, on_batch)
        predictor.warn_of_values()


class PartPredictor:
    """Predictions for any number of lists of photos, until it is closed.

    It keeps its worker processes, and what TensorFlow compiled.
    """

    def __init__(
        self,
        run,
        *,
        top: int | None = None,
        batch_size: int = BATCH_SIZE,
        max_pixels: int = MAX_PIXELS,
    ):
        """Splits the model; arguments as of `predict`."""
        self._run, self._top, self._max_pixels = run, top, max_pixels
        self._predictor = Predictor(run.model, batch_size, run.pixel_ranges)
        self._inspector = Inspector(max_pixels)
        self._outside: list = []
        self._total = 0

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def predict(
        self,
        parts: Iterable[Sequence[str]],
        on_batch: Callable[[Batch, list[Prediction]], None] | None = None,
    ) -> Iterator[Prediction]:
        """Yields predictions of photos that are still being listed.

        Args:
            parts: Lists of paths; each is asked for when the one before is
                done.
            on_batch: Called with each batch and the predictions of its rows.
        """
        run = self._run
        parts, of_names = itertools.tee(staged(parts))
        for photos in inspect_in_parts(
            parts, self._inspector, self._max_pixels, run.pixel_ranges
        ):
            names = tuple(next(of_names))
            self._outside += quality_report.find_outside(
                dataclasses.replace(photos, paths=names), photos.pixel_ranges
            )
            self._total += len(photos)
            for batch in self._predictor.predict(photos):
                found = {
                    row: make_prediction(
                        names[row], probabilities, run.class_names, self._top
                    )
                    for row, probabilities in zip(
                        batch.rows, batch.outputs.probabilities, strict=True
                    )
                }
                if on_batch is not None and found:
                    on_batch(batch, list(found.values()))
                for row, reason in batch.bad:
                    found[row] = Prediction(names[row], error=reason)
                yield from (found[row] for row in sorted(found))

    def warn_of_values(self) -> None:
        """Warns of photos with other values than those of the training."""
        if self._outside:
            warn(quality_report.describe_outside(self._outside, self._total))

    def close(self) -> None:
        """Ends the worker processes."""
        self._inspector.close()


def make_prediction(
    path: str,
    probabilities: np.ndarray,
    class_names: Sequence[str],
    top: int | None = None,
) -> Prediction:
    """Returns the prediction for one photo.

    Args:
        path: Path of the photo.
        probabilities: float32 (number of classes,).
        class_names: Names of the classes.
        top: As in `predict`.
    """
    values = probabilities.tolist()
    likeliest = np.argsort(-probabilities, kind="stable")
    listed = [(class_names[i], values[i]) for i in likeliest[:top]]
    by_name = dict(zip(class_names, values, strict=True))
    return Prediction(path, *listed[0], by_name, listed)


def grad_cam(
    run, photos: PathOrPaths, *, layer_name: str | None = None
) -> np.ndarray:
    """Returns where a model sees the class that it predicts, on each photo.

    Args:
        run, photos: As in `predict`.
        layer_name: Layer whose maps are taken; None: the last of the base.

    Returns:
        Heat maps in [0, 1], float32 (N, h, w).

    Raises:
        UserError: If a photo can't be used, or the model has no maps.
    """
    make_heats, heats = GradCam(run.model, layer_name), []

    def draw(batch, _):
        classes = batch.outputs.probabilities.argmax(axis=1)
        heats.append(make_heats(batch.images, classes))

    parts = _find_parts(photos)
    for prediction in predict_parts(run, parts, on_batch=draw):
        if prediction.error is not None:
            raise UserError(f"{prediction.path}: {prediction.error}")
    return np.concatenate(heats)


def _find_parts(photos: PathOrPaths) -> Iterator[list[str]]:
    if isinstance(photos, str | os.PathLike):
        photos = [photos]
    return make_parts([find_source(x) for x in photos])
