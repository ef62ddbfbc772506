"""Pictures of where on a photo the model sees what it predicts."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

import plots
from thaw.data.files import shown

_SIDE = 320  # pixels of each half, at least
_MARGIN, _LETTER = 8, 18  # pixels
_NAME_BYTES = 100  # of the 255 that a name may have


def picture_path(folder: str | Path, photo: str) -> Path:
    """Returns where the picture of a photo goes, e.g. `cat.1-1f3870be.png`.

    The digits are of the whole path: photos in two folders may have one name.
    """
    whole = os.fsencode(os.path.abspath(photo))
    digits = hashlib.blake2b(whole, digest_size=6).hexdigest()
    stem = os.fsencode(shown(Path(photo).stem))[:_NAME_BYTES]
    name = stem.decode(errors="ignore").replace("\\", "_")
    return Path(folder) / f"{name}-{digits}-grad_cam.png"


def save_pictures(
    folder: str | Path,
    photos: Sequence[str],
    images: np.ndarray,
    heats: np.ndarray,
    captions: Sequence[str],
) -> None:
    """Writes a picture of each photo, beside it the same under its heat map.

    Args:
        folder: Folder for the pictures.
        photos: Paths of the photos.
        images: As the model sees them, float32 (B, H, W, 3), RGB in [0, 255].
        heats: Of `grad_cam`, float32 (B, h, w).
        captions: What to write under each.
    """
    font_path = font_manager.findfont("DejaVu Sans")
    font = ImageFont.truetype(font_path, _LETTER)
    for path, image, heat, caption in zip(
        photos, images, heats, captions, strict=True
    ):
        picture = _draw(image, heat, caption, font)
        picture.save(picture_path(folder, path))


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
