"""A folder of hostile and odd files, and what should become of each.

    python -m tests.support.corpus FOLDER

makes it, to be tried by hand. Nothing in it comes from anywhere else: every
file is made here, from one small picture.
"""

import dataclasses
import io
import os
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps

SIZE = (48, 40)


@dataclasses.dataclass
class Case:
    """Expected fate of a file.

    Attributes:
        reason: Regular expression of why it cannot be used; None: it can.
        picture: What it then shows, uint8 (H, W, 3); None: not known.
        close: Largest mean difference from it, in levels of 255.
        either: It may be a right picture, or not be used at all.
    """

    reason: str | None = None
    picture: np.ndarray | None = None
    close: float = 0.0
    either: bool = False


def make_picture() -> Image.Image:
    """Returns a picture without symmetry, in all colours."""
    x = np.linspace(0, 255, SIZE[0])[None, :, None]
    y = np.linspace(0, 255, SIZE[1])[:, None, None]
    picture = np.concatenate([x + 0 * y, 0 * x + y, 255 - (x + y) / 2], axis=-1)
    picture[4:14, 6:20] = (230, 30, 40)
    picture[24:34, 30:42] = (20, 200, 60)
    return Image.fromarray(picture.round().astype("uint8"))


PICTURE = make_picture()


def saved(image: Image.Image, file_format: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def rgb(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"))


def chunk(kind: bytes, data: bytes) -> bytes:
    """Returns a chunk of a PNG file."""
    crc = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + crc


def png(width, height, bits, color, rows: bytes, *chunks: bytes) -> bytes:
    """Returns a PNG file, whatever its header promises."""
    header = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + b"".join(chunks)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


FORMATS = {
    "jpg": lambda: saved(PICTURE, "JPEG", quality=95, subsampling=0),
    "progressive.jpg": lambda: saved(
        PICTURE, "JPEG", quality=95, subsampling=0, progressive=True
    ),
    "png": lambda: saved(PICTURE, "PNG"),
    "gif": lambda: saved(PICTURE, "GIF"),
    "webp": lambda: saved(PICTURE, "WEBP", lossless=True),
    "bmp": lambda: saved(PICTURE, "BMP"),
    "tif": lambda: saved(PICTURE, "TIFF", compression="tiff_lzw"),
    "avif": lambda: saved(PICTURE, "AVIF", quality=95),
    "jp2": lambda: saved(PICTURE, "JPEG2000"),
    "ppm": lambda: saved(PICTURE, "PPM"),
}
LOSSY = {"jpg": 4, "progressive.jpg": 4, "avif": 4, "gif": 10}


def whole_files():
    """Every format, and every one under each of two wrong names."""
    for ending, contents in FORMATS.items():
        case = Case(picture=rgb(PICTURE), close=LOSSY.get(ending, 0))
        yield f"whole.{ending}", contents(), case
        for other in ("jpg", "png", "tif"):
            if not ending.endswith(other):
                yield f"{ending}-named.{other}", contents(), case


def cut_files():
    """Cut off at every kind of place."""
    for ending, contents in FORMATS.items():
        whole = contents()
        for length in (1, 2, 4, 8, 12, 30):
            reason = "not an image|damaged"
            yield f"cut-{length}.{ending}", whole[:length], Case(reason)
        for percent in (20, 50, 80, 95):
            part = whole[: len(whole) * percent // 100]
            # A JPEG 2000 file is made to be cut; the end of others is not
            # needed for the picture.
            either = ending == "jp2" or percent == 95
            yield (
                f"cut-{percent}-percent.{ending}",
                part,
                Case("not an image|damaged", either=either),
            )
        yield (
            f"cut-one.{ending}",
            whole[:-1],
            Case("not an image|damaged", either=True),
        )


def flipped_files():
    """One byte, or many, changed at random places."""
    rng = np.random.default_rng(0)
    for ending, contents in FORMATS.items():
        for number, count in enumerate((1, 1, 1, 20)):
            changed = np.frombuffer(contents(), "uint8").copy()
            places = rng.integers(len(changed), size=count)
            changed[places] ^= rng.integers(1, 256, count, "uint8")
            yield (
                f"flipped-{number}.{ending}",
                changed.tobytes(),
                Case(".", either=True),
            )


def no_photos():
    rng = np.random.default_rng(1)
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    contents = {
        "empty.jpg": b"",
        "newline.jpg": b"\n",
        "text.jpg": b"A photo of a cat.\n",
        "utf16.jpg": "A photo of a cat.".encode("utf-16"),
        "page.png": b"<!DOCTYPE html><html><body>404</body></html>",
        "drawing.png": svg,
        "data.jpg": b'{"error": "not found"}',
        "print.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "document.jpg": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        "archive.jpg": b"PK\x03\x04" + bytes(40),
        "packed.jpg": b"\x1f\x8b\x08" + bytes(40),
        "program.jpg": b"\x7fELF\x02\x01\x01" + bytes(60),
        "video.jpg": b"\x00\x00\x00\x18ftypmp42" + bytes(60),
        "layers.jpg": b"8BPS\x00\x01" + bytes(60),
        "table.jpg": b"SIMPLE  =                    T" + bytes(60),
        "pickle.jpg": b"\x80\x04\x95\x0f\x00\x00\x00\x00\x00\x00\x00.",
        "random.jpg": rng.bytes(3000),
        "zeros.png": bytes(3000),
        "ones.gif": b"\xff" * 3000,
        "pointer.jpg": b"version https://git-lfs.github.com/spec/v1\n",
    }
    for name, some in contents.items():
        yield name, some, Case("empty" if not some else "not an image")


def bombs():
    gif = bytearray(FORMATS["gif"]())
    gif[6:10] = struct.pack("<HH", 65535, 65535)
    bmp = bytearray(FORMATS["bmp"]())
    bmp[18:26] = struct.pack("<ii", 60000, 60000)
    text = chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(90_000_000)))
    profile = chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(90_000_000)))
    row = b"\0" + bytes(30)
    too_many = "more pixels than `max_pixels`"
    files = {
        "square.png": (png(40_000, 40_000, 8, 2, bytes(1000)), too_many),
        "row.png": (png(2_000_000, 1000, 8, 2, bytes(1000)), too_many),
        "deep.png": (png(12_000, 12_000, 16, 6, bytes(1000)), too_many),
        "largest.png": (png(2**31 - 1, 2**31 - 1, 1, 0, b"\0"), too_many),
        "screen.gif": (bytes(gif), too_many),
        "bitmap.bmp": (bytes(bmp), too_many),
        "anymap.ppm": (b"P6\n99999 99999\n255\n" + bytes(99), too_many),
        "text.png": (png(10, 10, 8, 2, 10 * row, text), "damaged"),
        "profile.png": (png(10, 10, 8, 2, 10 * row, profile), "."),
    }
    for name, (contents, reason) in files.items():
        either = name == "profile.png"  # what is in it need not be read
        yield f"bomb-{name}", contents, Case(reason, either=either)


def modes():
    """Every mode of Pillow in every format that takes it."""
    of_format = {
        "JPEG": "1 L RGB CMYK YCbCr",
        "PNG": "1 L LA P RGB RGBA I;16",
        "TIFF": "1 L LA P RGB RGBA CMYK YCbCr LAB I F I;16",
        "BMP": "1 L P RGB RGBA",
        "GIF": "1 L P RGB RGBA",
        "WEBP": "L LA P RGB RGBA",
        "AVIF": "L RGB RGBA",
        "JPEG2000": "L LA RGB RGBA I;16",
        "PPM": "1 L I I;16 RGB RGBA",
    }
    ending = {"JPEG": "jpg", "TIFF": "tif", "JPEG2000": "jp2"}
    for file_format, names in of_format.items():
        for mode in names.split():
            grey = PICTURE.convert("L")
            expected, close = rgb(PICTURE), 0.0
            if mode == "LAB":
                profiles = map(ImageCms.createProfile, ("sRGB", "LAB"))
                image = ImageCms.profileToProfile(
                    PICTURE, *profiles, outputMode="LAB"
                )
                close = 4.0
            elif mode in ("I", "I;16"):
                levels = np.asarray(grey).astype("uint16") * 257
                image = Image.fromarray(levels)
                if mode == "I":
                    image = image.convert("I")
                expected = rgb(grey)
            elif mode == "F":
                image = Image.fromarray(
                    (np.asarray(grey) / 255).astype("float32")
                )
                expected = rgb(grey)
            else:
                image = PICTURE.convert(mode)
                expected = rgb(image)
            if file_format in ("JPEG", "AVIF"):
                close = 5.0
            if file_format == "GIF":
                close = 10.0
            yield (
                f"mode-{mode.replace(';', '-')}."
                f"{ending.get(file_format, file_format.lower())}",
                saved(image, file_format, **_options(file_format)),
                Case(picture=expected, close=close),
            )


def _options(file_format):
    if file_format == "WEBP":
        return {"lossless": True}
    if file_format in ("JPEG", "AVIF"):
        return {
            "quality": 95,
            "subsampling": 0 if file_format == "JPEG" else "4:4:4",
        }
    return {}


def turned():
    """All orientations, and numbers that are none."""
    for ending in ("jpg", "png", "webp", "tif"):
        for number in (*range(1, 9), 0, 9, 65535):
            exif = Image.Exif()
            exif[ExifTags.Base.Orientation] = number
            file_format = {"jpg": "JPEG", "tif": "TIFF"}.get(
                ending, ending.upper()
            )
            contents = saved(
                PICTURE, file_format, exif=exif, **_options(file_format)
            )
            turn = {
                2: Image.Transpose.FLIP_LEFT_RIGHT,
                3: Image.Transpose.ROTATE_180,
                4: Image.Transpose.FLIP_TOP_BOTTOM,
                5: Image.Transpose.TRANSPOSE,
                6: Image.Transpose.ROTATE_270,
                7: Image.Transpose.TRANSVERSE,
                8: Image.Transpose.ROTATE_90,
            }.get(number)
            upright = PICTURE if turn is None else PICTURE.transpose(turn)
            close = 4 if ending == "jpg" else 0
            yield (
                f"turned-{number}.{ending}",
                contents,
                Case(picture=rgb(upright), close=close),
            )


def colours():
    """CMYK with and without Adobe's marker; 16 bits; transparency."""
    with_marker = saved(
        PICTURE.convert("CMYK"), "JPEG", quality=95, subsampling=0
    )
    # Tools that strip metadata take the marker away, and leave the ink
    # inverted, as Adobe stores it: so Pillow and browsers take it without.
    place = with_marker.index(b"\xff\xee")
    (length,) = struct.unpack(">H", with_marker[place + 2 : place + 4])
    without = with_marker[:place] + with_marker[place + 2 + length :]
    for name, contents in (("adobe", with_marker), ("plain", without)):
        yield (
            f"cmyk-{name}.jpg",
            contents,
            Case(picture=rgb(PICTURE), close=5),
        )
    levels = np.asarray(PICTURE).astype(">u2") * 257
    rows = b"".join(b"\0" + row.tobytes() for row in levels.astype(">u2"))
    yield "deep-rgb.png", png(*SIZE, 16, 2, rows), Case(picture=rgb(PICTURE))
    alpha = np.full((*levels.shape[:2], 1), 65535, ">u2")
    alpha[:, :20] = 0
    clear = np.concatenate([levels, alpha], axis=-1).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in clear)
    over_white = rgb(PICTURE).copy()
    over_white[:, :20] = 255
    yield "deep-rgba.png", png(*SIZE, 16, 6, rows), Case(picture=over_white)
    rows = b"".join(b"\0" + row.tobytes() for row in rgb(PICTURE))
    key = chunk(b"tRNS", struct.pack(">HHH", 230, 30, 40))
    keyed = rgb(PICTURE).copy()
    keyed[(keyed == (230, 30, 40)).all(axis=-1)] = 255
    yield "colour-key.png", png(*SIZE, 8, 2, rows, key), Case(picture=keyed)
    for name, level in (("clear", 0), ("half", 128)):
        image = PICTURE.convert("RGBA")
        image.putalpha(level)
        expected = 255 + (rgb(PICTURE).astype(float) - 255) * level / 255
        for ending in ("png", "webp", "tif"):
            file_format = "TIFF" if ending == "tif" else ending.upper()
            options = {"exact": True} if ending == "webp" else {}
            yield (
                f"{name}.{ending}",
                saved(image, file_format, **options, **_options(file_format)),
                Case(picture=expected.round().astype("uint8"), close=1),
            )


def sizes():
    for ending in FORMATS:
        file_format = {
            "jpg": "JPEG",
            "progressive.jpg": "JPEG",
            "tif": "TIFF",
            "jp2": "JPEG2000",
        }.get(ending, ending.upper())
        image = Image.new("RGB", (1, 1), (200, 30, 90))
        yield (
            f"one-pixel.{ending}",
            saved(image, file_format),
            Case(picture=rgb(image), close=5),
        )
    for size in ((40_000, 1), (1, 40_000), (2, 3)):
        image = Image.new("RGB", size, (200, 30, 90))
        yield (
            f"size-{size[0]}x{size[1]}.png",
            saved(image, "PNG"),
            Case(picture=rgb(image)),
        )
    yield "no-width.png", png(0, 9, 8, 2, b""), Case("damaged|not an image")
    yield "no-size.ppm", b"P6\n0 0\n255\n", Case("damaged|not an image")


def animations():
    others = [ImageOps.invert(PICTURE), ImageOps.mirror(PICTURE)]
    for ending, file_format in (
        ("gif", "GIF"),
        ("png", "PNG"),
        ("webp", "WEBP"),
        ("tif", "TIFF"),
        ("avif", "AVIF"),
    ):
        options = {"save_all": True, "append_images": others}
        contents = saved(
            PICTURE, file_format, **options, **_options(file_format)
        )
        case = Case(picture=rgb(PICTURE), close=LOSSY.get(ending, 0))
        yield f"animated.{ending}", contents, case
    contents = saved(PICTURE, "MPO", save_all=True, append_images=others)
    yield "two-views.jpg", contents, Case(picture=rgb(PICTURE), close=8)


def odd_insides():
    """Files that are whole, in unusual ways, or broken in some part."""
    jpeg, whole_png = FORMATS["jpg"](), FORMATS["png"]()
    right = Case(picture=rgb(PICTURE), close=4)
    exact = Case(picture=rgb(PICTURE))
    either = Case(".", either=True)
    yield "more-after-it.jpg", jpeg + b"more" * 100, right
    yield (
        "two-in-one.jpg",
        jpeg + saved(ImageOps.invert(PICTURE), "JPEG"),
        right,
    )
    yield "more-before-it.jpg", b"more" + jpeg, Case("not an image")
    yield "more-after-it.png", whole_png + b"more" * 100, exact
    exif = b"\xff\xe1" + struct.pack(">H", 40) + b"Exif\0\0" + b"\xff" * 32
    yield "broken-exif.jpg", jpeg[:2] + exif + jpeg[2:], right
    large = b"\xff\xe1" + struct.pack(">H", 65535) + bytes(65533)
    yield "large-segments.jpg", jpeg[:2] + 20 * large + jpeg[2:], right
    profile = saved(PICTURE, "JPEG", quality=95, icc_profile=b"not one")
    yield "broken-profile.jpg", profile, Case(picture=rgb(PICTURE), close=6)
    comment = saved(PICTURE, "JPEG", quality=95, comment=b"\x1b[31m\0\xff")
    yield "comment.jpg", comment, Case(picture=rgb(PICTURE), close=6)
    place = whole_png.index(b"IDAT")
    crc = bytearray(whole_png)
    crc[place + 10] ^= 1
    yield "wrong-checksum.png", bytes(crc), Case("damaged")
    yield "no-end.png", whole_png[:-12], either
    yield "no-pixels.png", whole_png[: place - 4], Case("damaged|not an image")
    rows = b"".join(b"\0" + bytes(SIZE[0]) for _ in range(SIZE[1]))
    yield "no-palette.png", png(*SIZE, 8, 3, rows), either
    yield (
        "half-the-rows.png",
        png(*SIZE, 8, 0, rows[: len(rows) // 2]),
        Case("damaged"),
    )
    yield "wrong-bits.png", png(*SIZE, 7, 2, rows), Case("damaged|not an image")
    for compression in ("tiff_deflate", "packbits", "tiff_lzw", None):
        contents = saved(PICTURE, "TIFF", compression=compression)
        yield f"{compression}.tif", contents, exact
    contents = saved(PICTURE, "TIFF", compression="jpeg", quality=95)
    yield "jpeg-inside.tif", contents, Case(picture=rgb(PICTURE), close=6)
    bits = PICTURE.convert("1")
    contents = saved(bits, "TIFF", compression="group4")
    yield "fax.tif", contents, Case(picture=rgb(bits))
    raw = saved(PICTURE, "TIFF")
    (start,) = struct.unpack("<I", raw[4:8])
    (count,) = struct.unpack("<H", raw[start : start + 2])
    end = start + 2 + 12 * count
    loop = raw[:end] + struct.pack("<I", start) + raw[end + 4 :]
    yield "pages-in-a-circle.tif", loop, exact
    yield (
        "nowhere.tif",
        b"II*\0\xff\xff\xff\x7f" + bytes(50),
        Case("damaged|not an image"),
    )
    bmp = bytearray(FORMATS["bmp"]())
    bmp[22:26] = struct.pack("<i", -SIZE[1])  # from the top down
    yield (
        "upside-down.bmp",
        bytes(bmp),
        Case(picture=rgb(ImageOps.flip(PICTURE))),
    )
    yield (
        "text.ppm",
        b"P3\n2 1\n255\n255 0 0 0 0 255\n",
        Case(picture=np.array([[[255, 0, 0], [0, 0, 255]]], "uint8")),
    )
    yield (
        "negative.ppm",
        b"P6\n-5 -5\n255\n" + bytes(75),
        Case("damaged|not an image"),
    )


GROUPS: tuple[Callable, ...] = (
    whole_files,
    cut_files,
    flipped_files,
    no_photos,
    bombs,
    modes,
    turned,
    colours,
    sizes,
    animations,
    odd_insides,
)
ODD_NAMES = (
    b"a b.jpg",
    b" .jpg",
    b"-rf.jpg",
    b"new\nline.jpg",
    b"\x1b[31mred.jpg",
    b"quote'\"`$(x).jpg",
    b"%s{0}\\.jpg",
    b"[a-z]*?.jpg",
    b"\xff\xfe.jpg",
    "\u00fc\u4e2d\u6587\U0001f600.jpg".encode(),
    "\u202egpj.cat.jpg".encode(),
    b"UPPER.JPG",
    b"two.dots..jpg",
    b"n" * 251 + b".jpg",
)


def make_corpus(folder: str | Path) -> dict[str, Case]:
    """Writes the files; returns what should become of each, by its path."""
    cases = {}
    for group in GROUPS:
        place = Path(folder) / group.__name__
        place.mkdir(parents=True)
        for name, contents, case in group():
            path = place / name
            if str(path) in cases:
                raise ValueError(f"two files are called {name}")
            path.write_bytes(contents)
            cases[str(path)] = case
    place = os.path.join(os.fsencode(folder), b"names")
    os.mkdir(place)
    for name in ODD_NAMES:
        path = os.path.join(place, name)
        with open(path, "wb") as file:
            file.write(FORMATS["jpg"]())
        cases[os.fsdecode(path)] = Case(picture=rgb(PICTURE), close=4)
    path = os.path.join(place, b"\xff-empty\n.jpg")
    with open(path, "wb"):
        pass
    cases[os.fsdecode(path)] = Case("empty")
    return cases


if __name__ == "__main__":
    print(f"{len(make_corpus(sys.argv[1]))} files")
