"""From the bytes of a file to pixels, by Pillow: any format, any mode."""

import io
import warnings

import numpy as np
from PIL import ExifTags, Image, ImageOps

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
EXTENSIONS = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".bmp", ".dib",
    ".tif", ".tiff", ".avif", ".jp2", ".j2k", ".pbm", ".pgm", ".ppm", ".pnm",
    ".heic", ".heif",
)  # fmt: skip

try:  # optional: pip install pillow-heif
    import pillow_heif

    pillow_heif.register_heif_opener()
except ImportError:
    FORMATS = tuple(name for name in FORMATS if name != "HEIF")

_FLAT = 3.0  # levels of 255
_HALF_WORD = 65535 / 255  # from 16 bits to 8


def open_photo(contents: bytes) -> Image.Image:
    """Returns the opened photo: its header is read, its pixels are not.

    Raises:
        OSError: If it is of none of `FORMATS`. Of damaged files Pillow may
            raise anything else, too.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whatever is odd but can be read
        return Image.open(io.BytesIO(contents), formats=FORMATS)


def is_plain(image: Image.Image) -> bool:
    """Returns whether TensorFlow decodes an opened photo right.

    That is JPEG and PNG with 8 bits, upright, in grey, colour or (PNG) a
    palette. TensorFlow ignores the orientation that cameras store, shows what
    transparency hides, and clips or shifts the colours of much else.
    """
    if image.format in ("JPEG", "MPO"):
        plain = image.mode in ("L", "RGB")
    elif image.format == "PNG":
        plain = (
            image.mode in ("1", "L", "P", "RGB")
            and "transparency" not in image.info
            and not getattr(image, "is_animated", False)
        )
    else:
        return False
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    return plain and orientation not in range(2, 9)


def decode(contents: bytes) -> np.ndarray:
    """Returns the pixels of a photo as people see it, uint8 (H, W, 3), RGB.

    Of an animation, the first picture; turned as its EXIF orientation says;
    what is transparent is over white; 16 bits are scaled to 8.

    Raises:
        OSError: As `open_photo`, or if the file is cut off; Pillow may raise
            anything else of damaged files.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with open_photo(contents) as image:
            image.load()
            return _to_rgb(ImageOps.exif_transpose(image))


def look_hash(photo: np.ndarray) -> int | None:
    """Returns 64 bits that photos which look the same share, or nearly all.

    A difference hash (N. Krawetz 2013, "Kind of like that"): which of the
    neighbouring cells of a grid of 9 x 8 is brighter. Size, compression and
    small changes of light leave it as it is; of what is all one grey there is
    none.

    Args:
        photo: uint8 (H, W, 3).
    """
    grey = Image.fromarray(photo).convert("L")
    cells = np.asarray(grey.resize((9, 8), Image.Resampling.BOX)).astype(int)
    if cells.std() < _FLAT:
        return None
    brighter = cells[:, 1:] > cells[:, :-1]
    return int.from_bytes(np.packbits(brighter).tobytes(), "big")


def _to_rgb(image):
    if image.mode == "F" or image.mode.startswith("I"):
        grey = np.asarray(image).astype("float64")
        if image.mode == "F":  # by custom in [0, 1]
            grey = grey * (255 if grey.size and grey.max() <= 1 else 1)
        else:
            grey = grey / _HALF_WORD
        grey = np.nan_to_num(grey).clip(0, 255).round().astype("uint8")
        return np.repeat(grey[..., None], 3, axis=-1)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return np.array(image.convert("RGB"))
