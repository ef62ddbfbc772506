"""From the bytes of a file to pixels, by Pillow: any format, any mode."""

import io
import warnings
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, PngImagePlugin

# Those that photos come in. Left out is what calls other programs (EPS), has no
# mark at its start (TGA), or holds something else (FITS, PSD, WMF).
FORMATS = (
    "JPEG",
    "PNG",
    "GIF",
    "WEBP",
    "BMP",
    "DIB",
    "TIFF",
    "AVIF",
    "JPEG2000",
    "PPM",
    "HEIF",
)
EXTENSIONS = {  # and the format that a file of that name should have
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".gif": "GIF",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".dib": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".avif": "AVIF",
    ".jp2": "JPEG2000",
    ".j2k": "JPEG2000",
    ".pbm": "PPM",
    ".pgm": "PPM",
    ".ppm": "PPM",
    ".pnm": "PPM",
    ".heic": "HEIF",
    ".heif": "HEIF",
}
_VARIANTS = {"MPO": "JPEG", "DIB": "BMP"}  # of a format, under its endings

try:  # optional: pip install pillow-heif
    import pillow_heif

    pillow_heif.register_heif_opener()
except ImportError:
    FORMATS = tuple(name for name in FORMATS if name != "HEIF")

_GRID = (36, 32)  # cells
# How large a photo may be is said by --max_pixels, and seen to in `look`.
Image.MAX_IMAGE_PIXELS = None
# Editors put more into a PNG file than Pillow allows one text by default.
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY
# Whatever is odd but can be read.
warnings.filterwarnings("ignore", module=r"PIL\.")

_TURNS = {  # by EXIF orientation
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BITS_PER_SAMPLE, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0  # of TIFF
_STRIP = 1 << 20  # numbers converted at a time
_FLAT = 3.0  # levels of 255, standard deviation
_GREY = 8  # levels of 255; compression alone leaves less


def open_photo(contents: bytes) -> Image.Image:
    """Returns the opened photo: its header is read, its pixels are not.

    Raises:
        OSError: If it is of none of `FORMATS`. Of damaged files Pillow may
            raise anything else, too.
    """
    return Image.open(io.BytesIO(contents), formats=FORMATS)


def format_of(image: Image.Image) -> str:
    """Returns the format of a photo, one of the values of `EXTENSIONS`."""
    return _VARIANTS.get(image.format, image.format)


def is_plain(image: Image.Image) -> bool:
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


def decode(contents: bytes) -> np.ndarray:
    """Returns the pixels of a photo as people see it, uint8 (H, W, 3), RGB.

    Of an animation, the first picture; turned as its EXIF orientation says;
    what is transparent is over white; 16 bits are scaled to 8.

    Raises:
        OSError: As `open_photo`, or if the file is cut off; Pillow may raise
            anything else of damaged files.
    """
    with open_photo(contents) as image:
        image.load()
        turn = _turn_of(image)
        return _to_rgb(image if turn is None else image.transpose(turn))


def load_thumbnail(path: str, size: int) -> np.ndarray:
    """Returns the photo at `path`, its longer side at most `size` pixels.

    Returns:
        uint8 (h, w, 3), RGB.

    Raises:
        OSError: As `decode`.
    """
    with open(path, "rb") as file:
        photo = Image.fromarray(decode(file.read()))
    photo.thumbnail((size, size))
    return np.asarray(photo)


class Look(NamedTuple):
    """What a photo looks like, in short.

    Attributes:
        hash: 128 bits that photos which look the same share, or nearly all;
            None where there is too little to see.
        is_grey: There is no colour in it.
        is_blank: It is all of one colour.
    """

    hash: int | None
    is_grey: bool
    is_blank: bool


def look_at(photo: np.ndarray) -> Look:
    """Returns what a photo, uint8 (H, W, 3), looks like.

    Its hash is a difference hash (N. Krawetz 2013, "Kind of like that"): which
    of two neighbours is brighter, along the rows of a grid of 9 x 8 cells and
    down the columns of one of 8 x 9. Size, compression and small changes of
    light leave it nearly as it is.
    """
    small = Image.fromarray(photo).resize(_GRID, Image.Resampling.BOX)
    cells = np.asarray(small, "int64")  # (32, 36, 3)
    colour = cells.max(axis=-1) - cells.min(axis=-1)
    grey = small.convert("L")
    across, down = (
        np.asarray(grey.resize(size, Image.Resampling.BOX), "int64")
        for size in ((9, 8), (8, 9))
    )
    look_hash = None
    if across.std() >= _FLAT:
        brighter = (across[:, 1:] > across[:, :-1], down[1:] > down[:-1])
        look_hash = int.from_bytes(np.packbits(brighter).tobytes(), "big")
    return Look(
        look_hash,
        is_grey=bool(colour.max() <= _GREY),
        is_blank=bool(cells.std(axis=(0, 1)).max() < _FLAT),
    )


def _turn_of(image):
    """Returns how to turn an opened photo so that it is upright, or None."""
    try:
        exif = image.getexif()
    except Exception:  # broken EXIF may raise anything, and says nothing
        return None
    return _TURNS.get(exif.get(ExifTags.Base.Orientation))


def _to_rgb(image):
    if image.mode == "F" or image.mode.startswith("I"):
        return np.repeat(_to_octets(image)[..., None], 3, axis=-1)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        shown = Image.new("RGB", image.size, "white")
        shown.paste(image, mask=image.getchannel("A"))
        return np.array(shown)
    return np.array(image.convert("RGB"))


def _to_octets(image):
    """Returns one grey channel of more than 8 bits, scaled, uint8 (H, W)."""
    numbers = np.asarray(image)
    finite = numbers[np.isfinite(numbers)]
    largest = float(finite.max()) if finite.size else 0.0
    tags = getattr(image, "tag_v2", {})
    if image.mode == "F":  # by custom in [0, 1]
        white = next((x for x in (1, 255, 65535) if largest <= x), largest)
    elif image.mode == "I":
        white = max(65535, largest)
    else:
        bits = tags.get(_BITS_PER_SAMPLE, (16,))
        white = max(2 ** int(np.max(bits)) - 1, largest)
    octets = np.empty(numbers.shape, "uint8")
    rows = max(1, _STRIP // max(1, numbers.shape[1]))
    for start in range(0, len(numbers), rows):
        strip = numbers[start : start + rows] * (255 / white)
        strip = np.nan_to_num(strip, posinf=255, neginf=0)
        octets[start : start + rows] = strip.clip(0, 255).round()
    if image.mode.startswith("I") and (
        tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    ):
        octets = 255 - octets
    return octets
