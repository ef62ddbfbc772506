import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.support.corpus import chunk, saved
from tests.support.deep import deep_png, deep_tiff, grey_file
from thaw.data import pixels
from thaw.data.decode import decode_photo, load_photo
from thaw.data.inspect_worker import inspect_file
from thaw.pixel_range import EIGHT_BITS, FLOAT, INTEGER, KINDS, PixelRange

RAMP = np.linspace(0, 1, 63).reshape(7, 9)
COLOURS = np.random.default_rng(0).integers(0, 4096, (7, 9, 4))
TWELVE = PixelRange(0, 4095)


def decoded(contents, pixel_range):
    """As training, prediction and the cache decode it."""
    ranges = dict.fromkeys(KINDS, pixel_range)
    return decode_photo(tf.constant(contents), None, ranges).numpy()


def expected(numbers, pixel_range):
    low, high = pixel_range
    levels = (np.asarray(numbers, "float64") - low) * 255 / (high - low)
    return levels.clip(0, 255).round()


def inspected(tmp_path, contents):
    (tmp_path / "photo").write_bytes(contents)
    return inspect_file(str(tmp_path / "photo"), 10**6)


@pytest.mark.parametrize("image_format", ["PNG", "TIFF"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_integers_keep_256_levels(tmp_path, image_format, bits):
    white = 2**bits - 1
    numbers = (RAMP * white).round().astype("uint16")
    contents = grey_file(numbers, image_format)
    found = inspected(tmp_path, contents)
    assert (found.samples, found.lowest, found.highest) == (INTEGER, 0, white)
    shown = decoded(contents, PixelRange(0, white))
    levels = expected(numbers, (0, white))
    np.testing.assert_array_equal(shown[..., 0], levels)
    assert np.abs(levels - 255 * RAMP).max() < 1
    assert (shown[..., :1] == shown).all()


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (-1, 1), (0, 255), (-1000, 400)]
)
def test_floats_are_scaled_from_their_range(tmp_path, low, high):
    numbers = (low + (high - low) * RAMP).astype("float32")
    contents = grey_file(numbers, "TIFF")
    found = inspected(tmp_path, contents)
    assert (found.samples, found.lowest, found.highest) == (FLOAT, low, high)
    shown = decoded(contents, PixelRange(low, high))
    assert np.abs(shown[..., 0] - 255 * RAMP).max() <= 0.51
    numbers[0, :3] = np.nan, np.inf, -np.inf
    shown = decoded(grey_file(numbers, "TIFF"), PixelRange(low, high))
    assert shown[0, :3, 0].tolist() == [0, 255, 0]


def test_signed_integers_are_scaled_from_their_range(tmp_path):
    numbers = (-1000 + 4000 * RAMP).round().astype("int32")
    contents = grey_file(numbers, "TIFF")
    found = inspected(tmp_path, contents)
    assert (found.samples, found.lowest, found.highest) == (
        INTEGER,
        -1000,
        3000,
    )
    shown = decoded(contents, PixelRange(-1000, 400))[..., 0]
    np.testing.assert_array_equal(shown, expected(numbers, (-1000, 400)))
    assert (shown == 255).mean() > 0.6


COLOUR_FILES = {
    "PNG": lambda numbers: deep_png(numbers),
    "TIFF": lambda numbers: deep_tiff(numbers),
    "TIFF, big endian": lambda numbers: deep_tiff(numbers, ">"),
    "TIFF, compressed": lambda numbers: deep_tiff(numbers, packed=True),
    "TIFF, big endian, compressed": lambda numbers: deep_tiff(
        numbers, ">", packed=True
    ),
}


@pytest.mark.parametrize("name", COLOUR_FILES)
@pytest.mark.parametrize("white", [255, 4095, 65535])
def test_colours_keep_256_levels(tmp_path, name, white):
    numbers = COLOURS[..., :3] * white // 4095
    contents = COLOUR_FILES[name](numbers)
    found = inspected(tmp_path, contents)
    assert found.samples == INTEGER and not found.plain
    assert (found.lowest, found.highest) == (numbers.min(), numbers.max())
    pixel_range = PixelRange(0, white)
    np.testing.assert_array_equal(
        decoded(contents, pixel_range), expected(numbers, pixel_range)
    )


def test_of_transparent_colours_opaque_is_65535(tmp_path):
    numbers = COLOURS.copy()
    numbers[..., 3] = 65535
    numbers[:3, :, 3] = 0
    grey = numbers[..., [0, 3]]
    premultiplied = numbers.copy()
    premultiplied[:3] = 0
    for contents, colours in (
        (deep_png(numbers), numbers[..., :3]),
        (deep_png(grey), numbers[..., [0, 0, 0]]),
        (deep_tiff(numbers, extra=2), numbers[..., :3]),
        (deep_tiff(premultiplied, extra=1), numbers[..., :3]),
    ):
        shown = decoded(contents, TWELVE)
        assert (shown[:3] == 255).all()
        np.testing.assert_array_equal(shown[3:], expected(colours[3:], TWELVE))
        assert inspected(tmp_path, contents).highest <= 4095


def test_half_transparent_colours_multiplied_by_alpha_are_divided():
    straight, alpha = COLOURS.copy() & ~1, 32768
    straight[..., 3] = alpha
    premultiplied = straight.copy()
    premultiplied[..., :3] = straight[..., :3] * alpha // 65535
    shown, same = (
        decoded(deep_tiff(numbers, extra=extra), TWELVE).astype(int)
        for numbers, extra in ((straight, 2), (premultiplied, 1))
    )
    assert np.abs(shown - same).max() <= 1


def test_a_transparent_colour_of_16_bits_is_white():
    numbers = COLOURS[..., :3]
    key = chunk(b"tRNS", struct.pack(">3H", *numbers[2, 3].tolist()))
    shown = decoded(deep_png(numbers, key), TWELVE)
    levels = expected(numbers, TWELVE)
    levels[2, 3] = 255
    np.testing.assert_array_equal(shown, levels)


def test_inks_are_scaled():
    shown = decoded(deep_tiff(COLOURS, photometric=5), TWELVE)
    octets = expected(COLOURS, TWELVE).astype("uint8")
    inks = Image.frombytes("CMYK", (9, 7), octets.tobytes())
    np.testing.assert_array_equal(shown, np.asarray(inks.convert("RGB")))


@pytest.mark.parametrize("packed", [False, True])
def test_colours_in_planes_are_refused(tmp_path, packed):
    """Pillow shows other numbers, or half of each."""
    contents = deep_tiff(COLOURS[..., :3], planes=True, packed=packed)
    reason = inspected(tmp_path, contents).reason
    assert reason.startswith("damaged (16-bit colours in separate planes")


def test_where_white_is_zero_the_scaled_values_are_inverted():
    numbers = (RAMP * 4095).round().astype("uint16")
    contents = grey_file(numbers, "TIFF", photometric=0)
    shown = decoded(contents, TWELVE)[..., 0]
    np.testing.assert_array_equal(shown, 255 - np.round(255 * RAMP))
    octets = np.round(RAMP * 100).astype("uint8")
    contents = grey_file(octets, "TIFF", photometric=0)  # Pillow inverts it
    np.testing.assert_array_equal(decoded(contents, None)[..., 0], octets)
    shown = decoded(contents, PixelRange(100, 255))[..., 0]
    levels = 255 - expected(255 - octets.astype(int), (100, 255))
    np.testing.assert_array_equal(shown, levels)


@pytest.mark.parametrize("pixel_range", [(0, 100), (0, 4095), (-50.5, 300)])
def test_both_decoders_scale_8_bits_alike(photo, tmp_path, pixel_range):
    pixel_range = PixelRange(*pixel_range)
    ranges = {EIGHT_BITS: pixel_range}
    for image, image_format in (
        (photo, "JPEG"),
        (photo.convert("L"), "JPEG"),
        (photo, "PNG"),
        (photo.convert("P"), "PNG"),
    ):
        path = tmp_path / "photo"
        path.write_bytes(saved(image, image_format))
        plain, pillow = (
            load_photo(str(path), tf.constant(x), ranges).numpy()
            for x in (True, False)
        )
        np.testing.assert_array_equal(plain, pillow)
        levels = pixels.decode(path.read_bytes())
        np.testing.assert_array_equal(plain, expected(levels, pixel_range))


def test_over_a_transparent_photo_white_stays_white():
    red = Image.new("RGBA", (4, 4), (200, 0, 0, 255))
    red.paste((0, 0, 0, 0), (0, 0, 4, 2))
    shown = decoded(saved(red, "PNG"), PixelRange(100, 300))
    assert (shown[:2] == 255).all()
    assert (shown[2:] == [128, 0, 0]).all()
