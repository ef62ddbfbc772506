"""Samples of a photo: numbers of 8 bits or more, scaled to 8."""

import functools
import sys
from typing import Any

import numpy as np
from PIL import Image, ImageFile

from thaw.pixel_range import EIGHT_BITS, FLOAT, INTEGER, PixelRange

_BITS_PER_SAMPLE, _PHOTOMETRIC, _PLANAR = 258, 262, 284  # tags of TIFF
_WHITE_IS_ZERO, _SEPARATE = 0, 2
_STRIP = 1 << 20  # numbers converted at a time
_OTHER_BYTE = {
    "B": "L",
    "L": "B",
    "N": "B" if sys.byteorder == "little" else "L",
}


def kind_of(image: ImageFile.ImageFile) -> str:
    """Returns the kind of the samples of an opened photo, one of `KINDS`.

    Its pixels aren't loaded yet. Depths that a format declares, as PPM, AVIF
    and JPEG 2000 in colour do, Pillow has scaled to 8 or 16 bits.
    """
    if image.mode == "F":
        return FLOAT
    return INTEGER if is_grey(image) or raw_mode(image) else EIGHT_BITS


def is_grey(image: Image.Image) -> bool:
    """Returns whether Pillow holds more than 8 bits: in one channel it can."""
    return image.mode == "F" or image.mode.startswith("I")


def raw_mode(image: ImageFile.ImageFile) -> str | None:
    """Returns Pillow's raw mode of 16-bit colours, e.g. `RGB;16B`, or None.

    Raises:
        OSError: If Pillow can't read them.
    """
    if image.format not in ("PNG", "TIFF") or is_grey(image) or not image.tile:
        return None
    tags = getattr(image, "tag_v2", {})
    if (
        tags.get(_PLANAR) == _SEPARATE
        and np.max(tags.get(_BITS_PER_SAMPLE, 8)) > 8
    ):
        raise OSError("16-bit colours in separate planes; interleave them")
    arguments: Any = image.tile[0].args
    mode = arguments if isinstance(arguments, str) else arguments[0]
    return mode if mode[-4:-1] == ";16" else None


def set_raw_mode(image: ImageFile.ImageFile, mode: str) -> None:
    """Changes which of the bytes of 16-bit colours Pillow will load."""
    tiles: list[Any] = image.tile
    image.tile = [
        tile._replace(
            args=mode if isinstance(tile.args, str) else (mode, *tile.args[1:])
        )
        for tile in tiles
    ]


def modes_of_bytes(mode: str) -> tuple[str, ...]:
    """Returns the raw modes that load all bytes of 16-bit colours.

    Pillow has no 16-bit colours: of each sample it loads the high byte. Under
    the opposite byte order that is the low one.

    Args:
        mode: Of `raw_mode`.
    """
    if mode == "LA;16B":
        return ("RGBA",)  # as many bytes
    straight = mode.replace("RGBa", "RGBA")
    return straight, straight[:-1] + _OTHER_BYTE[mode[-1]]


def join_bytes(mode: str, parts: list[np.ndarray]) -> np.ndarray:
    """Returns 16-bit colours, uint16 (H, W, C), C as in Pillow's mode.

    Args:
        mode: Of `raw_mode`.
        parts: Loaded with `modes_of_bytes`, uint8 (H, W, C) each.
    """
    if mode == "LA;16B":
        parts = parts[0][..., [0, 0, 0, 2]], parts[0][..., [1, 1, 1, 3]]
    high, low = parts
    numbers = high.astype("uint16") << 8 | low
    if mode.startswith("RGBa"):  # multiplied by alpha
        alpha = np.maximum(numbers[..., 3:], 1)
        straight = numbers[..., :3] * (65535.0 / alpha)
        numbers[..., :3] = straight.clip(0, 65535).round()
    return numbers


def extremes(image: Image.Image, numbers: np.ndarray) -> tuple[float, float]:
    """Returns the smallest and the largest sample, transparency apart.

    Args:
        image: The photo.
        numbers: Its samples, (H, W) or (H, W, C).
    """
    if image.mode == "RGBA":
        numbers = numbers[..., :3]
    if numbers.dtype.kind == "f":
        numbers = numbers[np.isfinite(numbers)]
    if not numbers.size:
        return 0, 0
    return numbers.min().item(), numbers.max().item()


def scale(
    image: Image.Image, numbers: np.ndarray, pixel_range: PixelRange | None
) -> Image.Image:
    """Returns a photo of more than 8 bits in 8: grey, or in its own colours.

    Args:
        image: The photo, of which more than its header was read.
        numbers: Its samples, (H, W) or (H, W, C).
        pixel_range: What becomes black and white; None: by custom, for grey.
    """
    if pixel_range is None:
        pixel_range = _by_custom(image, numbers)
    octets = _scale(numbers, pixel_range)
    if _is_white_zero(image):
        octets = 255 - octets
    mode = "L" if numbers.ndim == 2 else image.mode
    if mode == "RGBA":  # opaque is 65535, whatever white is
        octets[..., 3] = numbers[..., 3] >> 8
    elif mode == "RGB" and "transparency" in image.info:
        mode, key = "RGBA", np.array(image.info["transparency"])
        alpha = np.where((numbers == key).all(axis=-1, keepdims=True), 0, 255)
        octets = np.concatenate([octets, alpha.astype("uint8")], axis=-1)
    size = numbers.shape[1::-1]
    return Image.frombytes(mode, size, octets.tobytes())


def table_of_octets(
    pixel_range: PixelRange, white_is_zero: bool = False
) -> np.ndarray:
    """Returns what becomes of each value of 8 bits, uint8 (256,).

    Args:
        pixel_range: What becomes black and white.
        white_is_zero: Whether the values have been inverted already.
    """
    table = _table(pixel_range)[:256]
    return 255 - table[::-1] if white_is_zero else table


def table_of_image(
    image: Image.Image, pixel_range: PixelRange | None
) -> np.ndarray | None:
    """Returns `table_of_octets` for a photo of 8 bits, or None for none."""
    return pixel_range and table_of_octets(pixel_range, _is_white_zero(image))


def _is_white_zero(image):
    tags = getattr(image, "tag_v2", {})
    return tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO


def _by_custom(image, numbers):
    """Returns the range of a type of samples; of floats, by the largest."""
    lowest, largest = extremes(image, numbers)
    if image.mode == "F":
        white = next((x for x in (1, 255, 65535) if largest <= x), largest)
    elif image.mode == "I":
        white = max(65535, largest)
    else:
        tags = getattr(image, "tag_v2", {})
        bits = tags.get(_BITS_PER_SAMPLE, (16,))
        white = max(2 ** int(np.max(bits)) - 1, largest)
    return PixelRange(0, white)


def _scale(numbers, pixel_range):
    """Returns numbers in [0, 255], uint8; what is none is black."""
    if numbers.dtype.kind == "u" and numbers.dtype.itemsize == 2:
        return _table(pixel_range)[numbers]
    octets = np.empty(numbers.shape, "uint8")
    rows = max(1, _STRIP // max(1, numbers[0].size))
    for start in range(0, len(numbers), rows):
        strip = numbers[start : start + rows].astype("float64")
        octets[start : start + rows] = _rounded(strip, pixel_range)
    return octets


@functools.lru_cache
def _table(pixel_range):
    """Returns what becomes of each value of 16 bits, uint8 (65536,)."""
    return _rounded(np.arange(65536.0), pixel_range).astype("uint8")


def _rounded(numbers, pixel_range):
    numbers = (numbers - pixel_range.low) * 255 / pixel_range.width
    numbers = np.nan_to_num(numbers, posinf=255, neginf=0)
    return numbers.clip(0, 255).round()
