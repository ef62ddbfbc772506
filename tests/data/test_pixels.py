import io
import struct
import tempfile
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import (
    ExifTags,
    Image,
    ImageCms,
    ImageOps,
    PngImagePlugin,
    TiffImagePlugin,
)

from tests.support.corpus import saved
from thaw.data import pixels
from thaw.data.decode import decode_photo
from thaw.data.inspect_worker import TOO_MANY, inspect_file

NOISE = np.random.default_rng(0).integers(0, 256, (18, 24, 3), "uint8")


def decoded(contents):
    """As training, prediction and the cache decode it."""
    return decode_photo(tf.constant(contents)).numpy()


@pytest.mark.parametrize(
    "file_format, options",
    [
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("BMP", {}),
        ("DIB", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("PPM", {}),
        ("JPEG2000", {}),
    ],
)
def test_lossless_formats_give_the_same_pixels(photo, file_format, options):
    pixel_values = decoded(saved(photo, file_format, **options))
    np.testing.assert_array_equal(pixel_values, np.asarray(photo))


@pytest.mark.parametrize(
    "file_format, options, close",
    [
        ("JPEG", {"quality": 95}, 1),
        ("JPEG", {"progressive": True}, 1),
        ("JPEG", {"subsampling": 0}, 1),
        ("AVIF", {"quality": 95}, 0),
        ("WEBP", {"quality": 95}, 0),
        ("HEIF", {"quality": 95}, 0),
    ],
)
def test_lossy_formats_are_within_one_level_of_pillow(
    photo, file_format, options, close
):
    contents = saved(photo, file_format, **options)
    expected = np.asarray(Image.open(io.BytesIO(contents)).convert("RGB"))
    difference = decoded(contents).astype(int) - expected
    assert np.abs(difference).max() <= close
    assert np.abs(difference + expected - np.asarray(photo)).mean() < 8


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_photos_are_turned_as_cameras_say(photo, orientation, file_format):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    contents = saved(photo, file_format, exif=exif)
    opened = Image.open(io.BytesIO(contents))
    expected = np.asarray(ImageOps.exif_transpose(opened), "int64")
    if file_format != "JPEG" and orientation == 6:  # turned to the right
        lossless = saved(photo.rotate(-90, expand=True), "PNG")
        if file_format != "WEBP":
            np.testing.assert_array_equal(decoded(lossless), expected)
    assert np.abs(decoded(contents) - expected).max() <= 1


MODES = {
    "JPEG": ("1", "L", "RGB", "CMYK", "YCbCr"),
    "PNG": ("1", "L", "P", "RGB"),
    "TIFF": ("1", "L", "P", "RGB", "CMYK", "YCbCr", "LAB"),
    "BMP": ("1", "L", "P", "RGB"),
    "GIF": ("1", "L", "P", "RGB"),
}


@pytest.mark.parametrize(
    "mode, file_format",
    [(mode, name) for name, modes in MODES.items() for mode in modes],
)
def test_modes_as_pillow_shows_them(photo, mode, file_format):
    if mode == "LAB":
        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        image = ImageCms.profileToProfile(photo, *profiles, outputMode="LAB")
    else:
        image = photo.convert(mode)
    contents = saved(image, file_format)
    opened = Image.open(io.BytesIO(contents))
    if mode == "LAB":
        expected = photo
    else:
        expected = opened.convert("RGB")
    difference = decoded(contents).astype(int) - np.asarray(expected)
    # LAB was rounded on the way there.
    assert np.abs(difference).max() <= (20 if mode == "LAB" else 1)


@pytest.mark.parametrize(
    "mode, file_format",
    [("RGBA", "PNG"), ("RGBA", "WEBP"), ("RGBA", "TIFF"), ("LA", "PNG")],
)
def test_what_is_transparent_is_over_white(mode, file_format):
    red = Image.new("RGBA", (20, 20), (200, 0, 0, 255))
    red.paste((0, 0, 0, 0), (0, 0, 20, 10))  # transparent black above
    image = red.convert(mode)
    contents = saved(image, file_format, lossless=True)
    shown = decoded(contents)
    assert (shown[:10] == 255).all()
    assert (shown[10:] == np.asarray(image.convert("RGB"))[10:]).all()


def test_a_transparent_colour_of_a_palette_is_white():
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 0, 0, 200])
    image.paste(0, (0, 0, 8, 4))
    shown = decoded(saved(image, "PNG", transparency=0))
    assert (shown[:4] == 255).all() and (shown[4:] == [0, 0, 200]).all()


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_and_not_clipped(file_format):
    ramp = np.arange(0, 65536, 256, dtype="uint16").reshape(16, 16)
    contents = saved(Image.fromarray(ramp), file_format)
    shown = decoded(contents)
    np.testing.assert_array_equal(shown[..., 0], np.round(ramp / 257))
    assert (shown[..., 0] == shown[..., 2]).all()


def test_floats_are_shares():
    ramp = np.linspace(0, 1, 64, dtype="float32").reshape(8, 8)
    shown = decoded(saved(Image.fromarray(ramp), "TIFF"))
    np.testing.assert_array_equal(shown[..., 0], np.round(255 * ramp))


@pytest.mark.parametrize("file_format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_an_animation_the_first_picture(file_format):
    frames = [Image.new("RGB", (9, 9), color) for color in ("red", "blue")]
    contents = saved(
        frames[0], file_format, save_all=True, append_images=frames[1:]
    )
    shown = decoded(contents)
    assert shown.shape == (9, 9, 3)
    assert shown[..., 0].min() > 200 and shown[..., 2].max() < 50


def test_gif_never_reaches_tensorflow(photo, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("decode_jpeg was called")

    gif, jpeg = saved(photo, "GIF"), saved(photo, "JPEG")
    monkeypatch.setattr(tf.io, "decode_jpeg", refuse)
    assert decoded(gif).shape == (photo.height, photo.width, 3)
    with pytest.raises(AssertionError, match="decode_jpeg was called"):
        decoded(jpeg)


def test_exif_that_is_broken_elsewhere_still_turns(photo):
    """Pillow's own way writes the rest of the EXIF anew, and may fail."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.ImageDescription] = "description"
    contents = bytearray(saved(photo, "JPEG", exif=exif, quality=95))
    place = contents.index(b"\x01\x0e")  # that tag; its type follows
    upright = decoded(bytes(contents))
    assert upright.shape[:2] == photo.size
    for kind in (0, 1, 5, 6, 7, 10, 12, 14):  # the others end Pillow's reading
        contents[place + 3] = kind
        np.testing.assert_array_equal(decoded(bytes(contents)), upright)


def tiff(numbers, *, photometric=1, bits=None):
    image = Image.fromarray(numbers)
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[262] = photometric
    contents = saved(image, "TIFF", tiffinfo=info)
    if bits is not None:  # a tag that Pillow writes as it likes
        tag = struct.pack("<HHI", 258, 3, 1)
        place = contents.index(tag) + len(tag)
        contents = (
            contents[:place] + struct.pack("<H", bits) + contents[place + 2 :]
        )
    return contents


RAMP = np.linspace(0, 1, 64).reshape(8, 8)
EXPECTED = np.round(255 * RAMP)


@pytest.mark.parametrize(
    "numbers, options",
    [
        ((RAMP * 65535).astype("uint16"), {}),
        ((RAMP * 65535).round().astype("int32"), {}),
        ((RAMP * 2_000_000_000).astype("int32"), {}),
        (RAMP.astype("float32"), {}),
        ((RAMP * 255).astype("float32"), {}),
        ((RAMP * 65535).astype("float32"), {}),
        ((RAMP * 1e6).astype("float32"), {}),
    ],
)
def test_numbers_of_any_range_are_scaled_and_not_clipped(numbers, options):
    shown = decoded(tiff(numbers, **options))
    assert np.abs(shown[..., 0] - EXPECTED).max() <= 1
    assert shown[0, 0, 0] == 0 and shown[-1, -1, 0] == 255


def test_numbers_that_are_none_are_black_and_white_may_be_zero():
    numbers = RAMP.astype("float32")
    numbers[0, 1], numbers[0, 2] = np.nan, np.inf
    shown = decoded(tiff(numbers))[..., 0]
    assert shown[0, 1] == 0 and shown[0, 2] == 255
    np.testing.assert_array_equal(shown[1:], EXPECTED[1:])
    inverted = (65535 * (1 - RAMP)).round().astype("uint16")
    shown = decoded(tiff(inverted, photometric=0))[..., 0]
    assert np.abs(shown - EXPECTED).max() <= 1


def test_much_text_in_a_png_is_no_bomb(photo):
    info = PngImagePlugin.PngInfo()
    info.add_text("prompt", "x" * 5_000_000, zip=True)
    contents = saved(photo, "PNG", pnginfo=info)
    np.testing.assert_array_equal(decoded(contents), np.asarray(photo))


def test_what_is_plain(photo):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 3
    for contents, plain in [
        (saved(photo, "JPEG"), True),
        (saved(photo.convert("L"), "JPEG"), True),
        (saved(photo, "PNG"), True),
        (saved(photo, "JPEG", exif=exif), False),
        (saved(photo.convert("CMYK"), "JPEG"), False),
        (saved(photo.convert("RGBA"), "PNG"), False),
        (saved(photo, "WEBP"), False),
    ]:
        with pixels.open_photo(contents) as image:
            assert pixels.is_plain(image) is plain


def check_agrees(contents):
    """A file that is decoded has an appearance; another, a reason."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(contents)
        file.flush()
        found = inspect_file(file.name, max_pixels=10**6)
    if (found.reason or "").startswith(TOO_MANY):
        return
    if found.reason is not None:
        with pytest.raises(Exception):  # noqa: B017
            pixels.decode(contents)
        return
    shown = pixels.decode(contents)
    assert shown.dtype == "uint8"
    assert sorted(shown.shape[:2]) == sorted((found.height, found.width))
    assert shown.shape[2] == 3


@given(
    st.binary(min_size=1, max_size=300),
    st.sampled_from(["", "jpg", "png", "gif"]),
)
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_pixels_or_a_reason(contents, kind):
    start = {"": b"", "jpg": b"\xff\xd8\xff", "png": b"\x89PNG\r\n\x1a\n",
             "gif": b"GIF89a"}[kind]  # fmt: skip
    check_agrees(start + contents)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_photos_give_pixels_or_a_reason(data):
    """One byte of a real file changed, or the rest cut off."""
    file_format = data.draw(st.sampled_from(["JPEG", "PNG", "GIF", "WEBP"]))
    contents = bytearray(saved(Image.fromarray(NOISE), file_format))
    place = data.draw(st.integers(0, len(contents) - 1))
    if place and data.draw(st.booleans()):
        del contents[place:]
    else:
        contents[place] ^= data.draw(st.integers(1, 255))
    check_agrees(bytes(contents))


def test_formats_and_animations(photo):
    other = ImageOps.invert(photo)
    for file_format, several, expected in [
        ("JPEG", False, ("JPEG", False)),
        ("MPO", True, ("JPEG", False)),
        ("DIB", False, ("BMP", False)),
        ("GIF", True, ("GIF", True)),
        ("GIF", False, ("GIF", False)),
        ("WEBP", True, ("WEBP", True)),
        ("PNG", True, ("PNG", True)),
    ]:
        options = (
            {"save_all": True, "append_images": [other]} if several else {}
        )
        with pixels.open_photo(saved(photo, file_format, **options)) as image:
            found = pixels.format_of(image), pixels.is_animated(image)
        assert found == expected, file_format
    assert set(pixels.EXTENSIONS.values()) <= set(pixels.FORMATS)


def test_thumbnails_keep_the_proportions(tmp_path):
    Image.new("RGB", (200, 100), "red").save(tmp_path / "a.png")
    thumbnail = pixels.load_thumbnail(tmp_path / "a.png", 50)
    assert thumbnail.shape == (25, 50, 3) and thumbnail[..., 0].min() == 255
    Image.new("RGB", (20, 10)).save(tmp_path / "b.png")
    assert pixels.load_thumbnail(tmp_path / "b.png", 50).shape == (10, 20, 3)


def test_limits_are_lifted_by_the_first_and_put_back_by_the_last_user():
    def state():
        return (
            Image.MAX_IMAGE_PIXELS,
            PngImagePlugin.MAX_TEXT_CHUNK,
            list(warnings.filters),
        )

    before = state()
    with pytest.raises(ZeroDivisionError):
        with pixels.pillow_limits(), pixels.pillow_limits():
            1 / 0  # noqa: B018
    assert state() == before
    barrier = threading.Barrier(4)

    def use(_):
        for _ in range(50):
            with pixels.pillow_limits():
                barrier.wait()
                assert Image.MAX_IMAGE_PIXELS is None
                assert len(warnings.filters) == len(before[2]) + 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(use, range(4)))
    assert state() == before
