"""ServedModel: thread-safe predictions, photos in, rows out."""

import base64
import contextlib
import io
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from PIL import Image

import plots
from thaw.data.as_trained import inspection_as_trained
from thaw.data.inspector import Inspector
from thaw.errors import UserError, shown
from thaw.inference.grad_cam import GradCam
from thaw.inference.predictions import make_prediction
from thaw.inference.predictor import BATCH_SIZE, Predictor
from thaw.inference.rows import describe
from thaw.pixel_range import PixelRange
from thaw.progress import warn
from thaw.serving.batcher import Batcher

_TWO_SIZES = (1, 8)  # of batches; up to four are padded to four
_LARGE = 25_000_000  # pixels, of 16 bytes each while they are read


class ServedModel:
    """A model that many threads may ask, with the answers of predict.py.

    Photos are inspected and decoded by the same code, one per core at a time,
    and padded to the same batches.

    Attributes:
        room: The most photos that may be in work.
        has_pictures: Whether there is a Grad-CAM.
    """

    room = 128

    def __init__(
        self,
        model: keras.Model,
        class_names: Sequence[str],
        max_pixels: int,
        batch_size: int = BATCH_SIZE,
        pixel_ranges: Mapping[str, PixelRange] | None = None,
    ):
        """Splits the model, and starts the threads.

        Args:
            model: Model of a run folder.
            class_names: Names of its classes.
            max_pixels: Photos with more pixels cannot be used.
            batch_size: Most photos to compute at once.
            pixel_ranges: `Run.pixel_ranges` of the run.
        """
        self._class_names = class_names
        self._pixel_ranges = pixel_ranges
        self._predictor = Predictor(model, pixel_ranges=pixel_ranges)
        self._inspector = Inspector(max_pixels)
        self._large = threading.Lock()  # read one at a time
        try:
            self._grad_cam: GradCam | None = GradCam(model)
        except UserError as error:  # e.g. a vision transformer
            self._grad_cam = None
            warn(str(error))
        self.has_pictures = self._grad_cam is not None
        self._batcher = Batcher(
            self._read,
            self._compute,
            batch_size=batch_size,
            room=self.room,
            num_preparing=os.cpu_count(),
        )

    def predict(
        self,
        photos: Sequence[tuple[str, Any]],
        top: int | None = None,
        with_pictures: bool = False,
    ) -> list[dict]:
        """Returns the rows that predict.py prints as JSON.

        Args:
            photos: Path of each file, and `path` of its row.
            top: As in `describe`.
            with_pictures: Add `picture`, the photo as the model sees it, and
                `grad_cam`, the same under the heat map of its likeliest class:
                PNG files as data URLs, or None.

        Returns:
            A row for each photo; of one that cannot be used, `path` and
            `error` only.

        Raises:
            Busy: If there are too many already.
        """
        wanted = with_pictures and self.has_pictures
        futures = self._batcher.submit([(path, wanted) for path, _ in photos])
        rows = []
        for (_, name), future in zip(photos, futures, strict=True):
            try:
                image, probabilities, heat = future.result()
            except UserError as error:
                rows.append({"path": name, "error": str(error)})
                continue
            prediction = make_prediction(name, probabilities, self._class_names)
            row = describe(prediction, top)
            if with_pictures:
                row["picture"] = row["grad_cam"] = None
            if heat is not None:
                row["picture"] = _data_url(np.clip(np.rint(image), 0, 255))
                row["grad_cam"] = _data_url(plots.overlay_heat(image, heat))
            rows.append(row)
        return rows

    def warm_up(self, folder: str | Path) -> None:
        """Predicts a photo, so that the first that is sent need not wait.

        Args:
            folder: Folder in which that photo is made, and removed.
        """
        path = str(Path(folder) / "first.png")
        Image.new("RGB", (64, 64)).save(path)
        # The model is compiled for the first size of a batch, and at the second
        # for all others.
        ready = self._read((path, self.has_pictures))
        for number in _TWO_SIZES:
            self._compute(number * [ready])
        # Each worker of the inspection starts.
        self.predict(min(os.cpu_count() or 1, self.room) * [(path, None)])
        os.unlink(path)

    def close(self) -> None:
        """Ends threads and processes."""
        self._batcher.close()
        self._inspector.close()

    def _read(self, item):
        """Returns a photo as the model sees it, and whether it is wanted."""
        path, wanted = item
        inspection = inspection_as_trained(
            self._inspector.inspect(path), self._pixel_ranges
        )
        is_large = inspection.width * inspection.height > _LARGE
        with self._large if is_large else contextlib.nullcontext():
            image = self._predictor.read(path, inspection)
        if isinstance(image, str):
            raise UserError(shown(image))
        return image, wanted

    def _compute(self, batch):
        """Returns image, probabilities, and heat where wanted, of a batch."""
        images = np.stack([image for image, _ in batch])
        probabilities = self._predictor.compute(images).probabilities
        heats = [None] * len(batch)
        rows = [row for row, (_, wanted) in enumerate(batch) if wanted]
        if rows:
            likeliest = probabilities[rows].argmax(axis=1)
            for row, heat in zip(
                rows, self._grad_cam(images[rows], likeliest), strict=True
            ):
                heats[row] = heat
        return list(zip(images, probabilities, heats, strict=True))


def _data_url(pixels):
    """Returns an image, (H, W, 3) in [0, 255], as a PNG in a URL."""
    file = io.BytesIO()
    Image.fromarray(pixels.astype("uint8")).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
