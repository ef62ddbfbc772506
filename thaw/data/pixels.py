"""Pillow decoder of photos: any format, any mode."""

import contextlib
import io
import threading
import warnings
from collections.abc import Iterator, Mapping

import numpy as np
from PIL import ExifTags, Image, ImageFile, PngImagePlugin

from thaw.data import samples
from thaw.pixel_range import EIGHT_BITS, PixelRange

# Formats of photos. Left out: those that call other programs (EPS), have no
# mark at their start (TGA), or hold something else (FITS, PSD, WMF).
FORMATS = tuple("JPEG PNG GIF WEBP BMP DIB TIFF AVIF JPEG2000 PPM HEIF".split())
EXTENSIONS = {  # and the format that a file of that name should have
    f".{extension}": image_format
    for image_format, extensions in {
        "JPEG": "jpg jpeg jpe jfif",
        "PNG": "png",
        "GIF": "gif",
        "WEBP": "webp",
        "BMP": "bmp dib",
        "TIFF": "tif tiff",
        "AVIF": "avif",
        "JPEG2000": "jp2 j2k",
        "PPM": "pbm pgm ppm pnm",
        "HEIF": "heic heif",
    }.items()
    for extension in extensions.split()
}
_VARIANTS: dict[str | None, str] = {  # of a format, same extensions
    "MPO": "JPEG",
    "DIB": "BMP",
}

try:  # optional: pip install pillow-heif
    import pillow_heif

    pillow_heif.register_heif_opener()
except ImportError:
    FORMATS = tuple(name for name in FORMATS if name != "HEIF")

_TURNS = {  # by EXIF orientation
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_limits_lock = threading.Lock()
_limits_users = 0  # of `pillow_limits`, in all threads
_limits_before: tuple = ()


@contextlib.contextmanager
def pillow_limits() -> Iterator[None]:
    """Lifts Pillow's limits and silences its warnings while it is entered.

    They hold for the whole process, so the first of concurrent users changes
    them and the last one puts them back. A photo may then be of any size
    (`max_pixels` is checked by the inspection), hold texts longer than Pillow
    allows by default, as editors write them, and be odd in any way that
    Pillow can read.
    """
    global _limits_users, _limits_before
    with _limits_lock:
        if not _limits_users:
            # The comment makes it a filter that nobody else has set.
            warnings.filterwarnings("ignore", module=r"(?#thaw)PIL\.")
            _limits_before = (
                Image.MAX_IMAGE_PIXELS,
                PngImagePlugin.MAX_TEXT_CHUNK,
                warnings.filters[0],
            )
            Image.MAX_IMAGE_PIXELS = None
            PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY
        _limits_users += 1
    try:
        yield
    finally:
        with _limits_lock:
            _limits_users -= 1
            if not _limits_users:
                most_pixels, most_text, added = _limits_before
                Image.MAX_IMAGE_PIXELS = most_pixels
                PngImagePlugin.MAX_TEXT_CHUNK = most_text
                with contextlib.suppress(ValueError):  # reset by somebody else
                    warnings.filters.remove(added)  # type: ignore[attr-defined]  # a list


@contextlib.contextmanager
def open_photo(contents: bytes) -> Iterator[ImageFile.ImageFile]:
    """Yields the opened photo: its header is read, its pixels are not.

    Raises:
        OSError: If it is of none of `FORMATS`. Of damaged files Pillow may
            raise anything else, too.
    """
    with (
        pillow_limits(),
        Image.open(io.BytesIO(contents), formats=FORMATS) as image,
    ):
        yield image


def format_of(image: Image.Image) -> str | None:
    """Returns the format of a photo, one of the values of `EXTENSIONS`."""
    return _VARIANTS.get(image.format, image.format)


def is_plain(image: ImageFile.ImageFile) -> bool:
    """Returns whether TensorFlow decodes an opened photo right.

    That is JPEG and PNG with 8 bits, upright, in grey, colour or (PNG) a
    palette. TensorFlow ignores the orientation that cameras store, shows what
    transparency hides, and clips or shifts the colours of much else.
    """
    if format_of(image) == "JPEG":
        plain = image.mode in ("L", "RGB")
    elif image.format == "PNG":
        plain = (
            image.mode in ("1", "L", "P", "RGB")
            and samples.kind_of(image) == EIGHT_BITS
            and "transparency" not in image.info
            and not is_animated(image)
        )
    else:
        return False
    return plain and _turn_of(image) is None


def is_animated(image: Image.Image) -> bool:
    """Returns whether an opened photo has more than one picture."""
    # The second of a camera's MPO file is another view, or the same smaller.
    return image.format != "MPO" and getattr(image, "is_animated", False)


def decode(
    contents: bytes, pixel_ranges: Mapping[str, PixelRange] | None = None
) -> np.ndarray:
    """Returns the pixels of a photo as people see it, uint8 (H, W, 3), RGB.

    Of an animation, the first picture; turned as its EXIF orientation says;
    what is transparent is over white.

    Args:
        contents: Bytes of the file.
        pixel_ranges: By kind of samples, which become black and white; others
            stay if they have 8 bits, and are scaled by custom if they have
            more: integers by their type, floats by the largest.

    Raises:
        OSError: As `open_photo`, or if the file is cut off; Pillow may raise
            anything else of damaged files.
    """
    with open_photo(contents) as image:
        kind = samples.kind_of(image)
        pixel_range = (pixel_ranges or {}).get(kind)
        shown, table = image, None
        if kind == EIGHT_BITS:
            table = samples.table_of_image(image, pixel_range)
        elif pixel_range or samples.is_grey(image):
            shown = samples.scale(image, _read(image, contents), pixel_range)
        image.load()
        turn = _turn_of(image)
        return _to_rgb(shown if turn is None else shown.transpose(turn), table)


def read_extremes(contents: bytes) -> tuple[float, float]:
    """Returns the smallest and the largest sample of more than 8 bits."""
    with open_photo(contents) as image:
        return samples.extremes(image, _read(image, contents))


def _read(image, contents):
    """Returns samples of more than 8 bits; of `image`, loads some bytes."""
    mode = samples.raw_mode(image)
    if mode is None:
        return np.asarray(image)
    first, *others = samples.modes_of_bytes(mode)
    samples.set_raw_mode(image, first)
    parts = [np.asarray(image)]
    for other in others:
        with open_photo(contents) as again:
            samples.set_raw_mode(again, other)
            parts.append(np.asarray(again))
    return samples.join_bytes(mode, parts)


def load_thumbnail(
    path: str,
    size: int,
    pixel_ranges: Mapping[str, PixelRange] | None = None,
) -> np.ndarray:
    """Returns the photo at `path`, its longer side at most `size` pixels.

    Args:
        path: Path of the photo.
        size: Pixels.
        pixel_ranges: As in `decode`.

    Returns:
        uint8 (h, w, 3), RGB.

    Raises:
        OSError: As `decode`.
    """
    with open(path, "rb") as file:
        photo = Image.fromarray(decode(file.read(), pixel_ranges))
    photo.thumbnail((size, size))
    return np.asarray(photo)


def _turn_of(image):
    """Returns how to turn an opened photo so that it is upright, or None."""
    try:
        exif = image.getexif()
    except Exception:  # broken EXIF may raise anything, and says nothing
        return None
    return _TURNS.get(exif.get(ExifTags.Base.Orientation))


def _to_rgb(image, table):
    """Returns a photo of 8 bits, its colours changed by a table or not."""
    rgba = None
    if image.has_transparency_data:
        rgba = image = image.convert("RGBA")
    image = image.convert("RGB")
    if table is not None:
        image = image.point(3 * table.tolist())
    if rgba is None:
        return np.array(image)
    shown = Image.new("RGB", image.size, "white")
    shown.paste(image, mask=rgba.getchannel("A"))
    return np.array(shown)
