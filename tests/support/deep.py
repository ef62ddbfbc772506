"""Photos with more than 8 bits per sample, written as cameras write them."""

import io
import struct
import zlib

import numpy as np
from PIL import Image, TiffImagePlugin

from tests.support.corpus import png

_SIZES = {"H": 3, "I": 4}  # of TIFF's types


def deep_png(numbers: np.ndarray, *chunks: bytes) -> bytes:
    """Returns a PNG file of 16 bits; grey, grey with alpha, RGB or RGBA.

    Args:
        numbers: Samples, (H, W, C).
        *chunks: More chunks.
    """
    height, width, channels = numbers.shape
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in numbers)
    return png(width, height, 16, colour, rows, *chunks)


def deep_tiff(
    numbers: np.ndarray,
    order: str = "<",
    photometric: int = 2,
    extra: int | None = None,
    packed: bool = False,
    planes: bool = False,
) -> bytes:
    """Returns a TIFF file of 16-bit colours.

    Args:
        numbers: Samples, (H, W, C).
        order: Of the bytes, `<` or `>`.
        photometric: 2: RGB; 5: CMYK.
        extra: Meaning of a fourth channel; 1: alpha, colours multiplied by
            it; 2: alpha.
        packed: Whether it is compressed.
        planes: Whether each channel is apart.
    """
    height, width, channels = numbers.shape
    parts = np.moveaxis(numbers, -1, 0) if planes else [numbers]
    strips = [part.astype(f"{order}u2").tobytes() for part in parts]
    if packed:
        strips = [zlib.compress(strip) for strip in strips]
    tags = {
        256: ("I", [width]),
        257: ("I", [height]),
        258: ("H", [16] * channels),
        259: ("H", [8 if packed else 1]),
        262: ("H", [photometric]),
        273: ("I", [0] * len(strips)),
        277: ("H", [channels]),
        278: ("I", [height]),
        279: ("I", [len(strip) for strip in strips]),
        284: ("H", [2 if planes else 1]),
    }
    if extra is not None:
        tags[338] = "H", [extra]
    start = 14 + 12 * len(tags)
    after = start + sum(
        size
        for kind, values in tags.values()
        if (size := struct.calcsize(kind) * len(values)) > 4
    )
    tags[273] = (
        "I",
        [
            after + sum(map(len, strips[:number]))
            for number in range(len(strips))
        ],
    )
    table, more = b"", b""
    for tag, (kind, values) in tags.items():
        value = struct.pack(f"{order}{len(values)}{kind}", *values)
        if len(value) > 4:
            more += value
            value = struct.pack(f"{order}I", start + len(more) - len(value))
        size = _SIZES[kind]
        table += struct.pack(f"{order}HHI", tag, size, len(values))
        table += value.ljust(4, b"\0")
    mark = b"II*\0" if order == "<" else b"MM\0*"
    head = struct.pack(f"{order}IH", 8, len(tags))
    return mark + head + table + bytes(4) + more + b"".join(strips)


def grey_file(numbers: np.ndarray, image_format: str, **tags: int) -> bytes:
    """Returns a file of one channel, uint16, int32 or float32 (H, W).

    Args:
        numbers: Samples.
        image_format: PNG or TIFF.
        **tags: `photometric` of TIFF.
    """
    options, file = {}, io.BytesIO()
    if tags:
        options["tiffinfo"] = TiffImagePlugin.ImageFileDirectory_v2()
        options["tiffinfo"][262] = tags["photometric"]
    Image.fromarray(numbers).save(file, image_format, **options)
    return file.getvalue()
