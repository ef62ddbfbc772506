"""Pictures of photos, each beside the same under its Grad-CAM heat map."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

import plots
from thaw.errors import shown
from thaw.inference.grad_cam import GradCam
from thaw.inference.predictions import Prediction
from thaw.inference.predictor import Batch
from thaw.inference.rows import describe

_SIDE = 320  # pixels of each half, at least
_MARGIN, _LETTER = 8, 18  # pixels
_NAME_BYTES = 100  # of the 255 that a name may have


class PictureFolder:
    """A folder for a picture of each photo, with its likeliest class."""

    def __init__(
        self, folder: str | Path, model: keras.Model, unsure_below: float = 0.0
    ):
        """Splits the model.

        Args:
            folder: Folder for the pictures.
            model: Model of a run folder.
            unsure_below: As in `describe`.

        Raises:
            UserError: If the model has no maps.
        """
        self._folder = folder
        self._unsure_below = unsure_below
        self._font = ImageFont.truetype(
            font_manager.findfont("DejaVu Sans"), _LETTER
        )
        self._grad_cam = GradCam(model)

    def save(self, batch: Batch, predictions: Sequence[Prediction]) -> None:
        """Writes the pictures of a batch; arguments of `on_batch`."""
        likeliest = batch.outputs.probabilities.argmax(axis=1)
        heats = self._grad_cam(batch.images, likeliest)
        for image, heat, prediction in zip(
            batch.images, heats, predictions, strict=True
        ):
            predicted = describe(prediction, 0, self._unsure_below)["predicted"]
            caption = f"{prediction.label} {prediction.probability:.4f}"
            if predicted != prediction.label:
                caption = f"{predicted}: {caption}"
            picture = _draw(image, heat, caption, self._font)
            picture.save(picture_path(self._folder, prediction.path))


def picture_path(folder: str | Path, photo: str) -> Path:
    """Returns the path of a photo's picture, e.g. `cat.1-1f3870be.png`.

    The digits are of the whole path: photos in two folders may have one name.
    """
    whole = os.fsencode(os.path.abspath(photo))
    digits = hashlib.blake2b(whole, digest_size=6).hexdigest()
    stem = os.fsencode(shown(Path(photo).stem))[:_NAME_BYTES]
    name = stem.decode(errors="ignore").replace("\\", "_")
    return Path(folder) / f"{name}-{digits}-grad_cam.png"


def _draw(image, heat, caption, font):
    octets = np.clip(np.rint(image), 0, 255).astype("uint8")
    photo = Image.fromarray(octets)
    side = max(_SIDE, photo.width)
    photo = photo.resize((side, side), Image.Resampling.BICUBIC)
    heated = Image.fromarray(plots.overlay_heat(np.asarray(photo), heat))
    width = 2 * side + 3 * _MARGIN
    while font.getlength(caption) > width - 2 * _MARGIN:
        caption = caption[:-2] + "\u2026"
    height = side + 3 * _MARGIN + _LETTER + _LETTER // 3
    picture = Image.new("RGB", (width, height), "white")
    picture.paste(photo, (_MARGIN, _MARGIN))
    picture.paste(heated, (side + 2 * _MARGIN, _MARGIN))
    ImageDraw.Draw(picture).text(
        (_MARGIN, side + 2 * _MARGIN), caption, fill="black", font=font
    )
    return picture
