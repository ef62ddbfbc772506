import hashlib

import numpy as np
import pytest

from thaw.data.as_trained import photos_as_trained
from thaw.data.bit_depth import choose_ranges
from thaw.data.inspect_worker import Inspection
from thaw.data.photos import Photos
from thaw.data.quality import find_issues
from thaw.data.quality_report import describe_ranges, find_outside
from thaw.errors import UserError
from thaw.pixel_range import EIGHT_BITS, FLOAT, INTEGER, KINDS, PixelRange


def make_photos(*facts):
    """Photos by the kind of their samples, the smallest and the largest."""
    inspections = tuple(
        Inspection(
            digest=str(row),
            format="PNG",
            width=100,
            height=100,
            samples=kind,
            lowest=lowest,
            highest=highest,
        )
        for row, (kind, lowest, highest) in enumerate(facts)
    )
    paths = tuple(f"{row}.png" for row in range(len(facts)))
    return Photos(
        paths, np.zeros(len(facts), "int32"), ("a",), inspections=inspections
    )


def integers(*highest):
    return make_photos(*((INTEGER, 0, x) for x in highest))


def floats(*extremes):
    return make_photos(*((FLOAT, *x) for x in extremes))


EIGHT = (EIGHT_BITS, None, None)


@pytest.mark.parametrize(
    ("highest", "white"),
    [
        (3, 255),
        (255, 255),
        (256, 1023),
        (1023, 1023),
        (1024, 4095),
        (4095, 4095),
        (4096, 16383),
        (16383, 16383),
        (16384, 65535),
        (65535, 65535),
    ],
)
def test_of_integers_the_smallest_of_five_depths(highest, white):
    photos = integers(highest, highest * 3 // 4)
    assert choose_ranges(photos) == {INTEGER: PixelRange(0, white)}


@pytest.mark.parametrize(
    ("extremes", "expected"),
    [
        ((0, 1), (0, 1)),
        ((0.1, 0.3), (0, 1)),
        ((-1, 1), (-1, 1)),
        ((-0.9, 0.2), (-1, 1)),
        ((0, 255), (0, 255)),
        ((0, 70), (0, 255)),
        ((0, 65535), (0, 65535)),
        ((0, 20000), (0, 65535)),
    ],
)
def test_of_floats_the_smallest_that_holds_all(extremes, expected):
    assert choose_ranges(floats(extremes)) == {FLOAT: PixelRange(*expected)}


@pytest.mark.parametrize(
    ("photos", "values"),
    [
        (floats((-1000, 3071)), "-1000:3071"),  # Hounsfield
        (floats((0, 4095)), "0:4095"),  # 12 bits: in [0, 65535] nearly black
        (floats((0, 0.01)), "0:0.01"),
        (floats((0, 40)), "0:40"),
        (floats((-0.01, 1)), "-0.01:1"),  # [0, 1], resized
        (floats((0, 1e6)), "0:1000000"),
        (floats((-9.0000001, 70.00002)), "-9.0000001:70.00002"),  # all of them
        (make_photos((INTEGER, -1000, 3071)), "-1000:3071"),
        (integers(70000), "0:70000"),
    ],
)
def test_without_one_reading_it_asks(photos, values):
    with pytest.raises(UserError) as error:
        choose_ranges(photos)
    assert f"`pixel_range={values}`" in str(error.value)
    given = PixelRange.parse(values)
    assert choose_ranges(photos, given) == dict.fromkeys(KINDS, given)


def test_photos_of_8_bits_have_no_range():
    assert choose_ranges(make_photos(EIGHT, EIGHT)) == {}


def test_a_dark_photo_is_one_of_its_set():
    for dark in ([30], [255], [200, 410], [12, 100, 300, 700, 1000]):
        highest = [4095, 3000, 2500, 4000, 3900] * 5 + dark
        photos = integers(*highest)
        assert choose_ranges(photos) == {INTEGER: PixelRange(0, 4095)}


@pytest.mark.parametrize(
    ("highest", "lines"),
    [
        ([255, 250] * 5 + [4095] * 10, ["10 of 8 bits", "10 of 12 bits"]),
        ([180, 120] * 5 + [4095] * 10, ["10 of 8 bits", "10 of 12 bits"]),
        ([255, 241] + [4095] * 98, ["2 of 8 bits", "98 of 12 bits"]),
        ([1023, 1000] * 5 + [4000] * 10, ["10 of 10 bits", "10 of 12 bits"]),
        ([250] * 99 + [300], ["99 of 8 bits", "1 of 10 bits"]),
        ([4095, 4000] * 9 + [65535] * 9, ["18 of 12 bits", "9 of 16 bits"]),
    ],
)
def test_photos_of_two_depths_stop_with_counts(highest, lines):
    with pytest.raises(UserError) as error:
        choose_ranges(integers(*highest))
    for line in lines:
        assert f"{line}, e.g. " in str(error.value).replace(" in 16", "")
    (white,) = choose_ranges(integers(max(highest)))[INTEGER][1:]
    assert f"`pixel_range=0:{white}`" in str(error.value)


def test_floats_of_two_ranges_stop_with_counts():
    for extremes in ([(0, 1)] * 4 + [(0, 255)] * 4, [(0, 1), (-1, 1)] * 4):
        with pytest.raises(UserError, match="4 of floats in 0:1, e.g. 0.png"):
            choose_ranges(floats(*extremes))


def test_8_bits_go_with_integers_of_8_or_16_only():
    full, twelve = (INTEGER, 0, 65000), (INTEGER, 0, 4000)
    assert choose_ranges(make_photos(EIGHT, EIGHT, full)) == {
        INTEGER: PixelRange(0, 65535)
    }
    assert choose_ranges(make_photos(EIGHT, (FLOAT, 0, 1), full)) == {
        INTEGER: PixelRange(0, 65535),
        FLOAT: PixelRange(0, 1),
    }
    with pytest.raises(UserError) as error:
        choose_ranges(make_photos(EIGHT, EIGHT, twelve))
    assert "2 of 8 bits, e.g. 0.png" in str(error.value)
    assert "1 of 12 bits in 16, e.g. 2.png" in str(error.value)
    assert "`pixel_range=0:4095`" in str(error.value)


def test_the_range_and_the_photos_outside_of_it_are_said():
    photos = integers(4000, 2500, 1500)
    ranges = choose_ranges(photos)
    assert describe_ranges(photos, ranges, False) == (
        "Pixel range 0:4095 (12 bits in 16): the values of 3 photos go from 0 "
        "to 4,000"
    )
    given = choose_ranges(photos, PixelRange(0, 2000))
    assert find_outside(photos, given) == ["0.png", "1.png"]
    assert describe_ranges(photos, given, True) == (
        "Pixel range 0:2000, as given\n2 of 3 photos have values outside of "
        "the pixel range, which are clipped, e.g. 0.png"
    )
    assert describe_ranges(make_photos(EIGHT), {}, False) == ""


def test_the_range_that_a_model_goes_on_with_is_said():
    before = dict.fromkeys(KINDS, PixelRange(0, 3000))
    photos = make_photos(EIGHT, EIGHT, (INTEGER, 5, 2900))
    ranges = choose_ranges(photos, before=before)
    assert ranges == {x: before[x] for x in (EIGHT_BITS, INTEGER)}
    assert describe_ranges(photos, ranges, False) == (
        "Pixel range 0:3000: that of the model, for 2 photos of 8 bits\n"
        "Pixel range 0:3000 (integers in 0:3000): the values of 1 photos go "
        "from 5 to 2,900"
    )


def test_blank_and_dim_are_meant_after_scaling():
    photos = integers(4095, 4095, 4095, 300, 300)
    spreads = 500.0, 49.0, 48.0, 60.0, 0.0  # 48 of 4,095 are 3 of 255
    photos = Photos(
        photos.paths,
        photos.labels,
        photos.class_names,
        inspections=tuple(
            x._replace(spread=spread)
            for x, spread in zip(photos.inspections, spreads, strict=True)
        ),
        pixel_ranges={INTEGER: PixelRange(0, 4095)},
    )
    blank = "all of one colour"
    dim = "under an eighth of the pixel range (others reach it)"
    assert [(x.path, x.kind) for x in find_issues([photos])] == [
        ("2.png", blank),
        ("4.png", blank),
        ("3.png", dim),
    ]


def test_a_run_reads_other_kinds_where_one_reading_is_left():
    photos = make_photos(
        EIGHT, (INTEGER, 0, 65000), (INTEGER, 0, 4000), (FLOAT, 0, 1),
        (FLOAT, -1, 1),
    )  # fmt: skip

    def usable(ranges):
        found = photos_as_trained(photos, ranges)
        return [x.reason is None for x in found.inspections]

    assert usable({}) == [True, True, False, True, False]
    assert usable({INTEGER: PixelRange(0, 4095)}) == 4 * [True] + [False]
    assert usable(None) == 5 * [True]  # a run of an older version
    reason = photos_as_trained(photos, {}).inspections[2].reason
    assert reason == (
        "integer samples, unlike the training photos (values up to 4,000); "
        "save it with 8 bits"
    )


def test_the_range_is_part_of_the_fingerprint():
    photos = make_photos(EIGHT, EIGHT)
    # Without one it is as ever, and so are the keys of caches.
    fingerprints = {hashlib.sha256(b"01").hexdigest()}
    assert fingerprints == {photos.fingerprint()}
    for pixel_range in (PixelRange(0, 255), PixelRange(0, 1023)):
        ranges = choose_ranges(photos, pixel_range)
        scaled = Photos(
            photos.paths,
            photos.labels,
            photos.class_names,
            inspections=photos.inspections,
            pixel_ranges=ranges,
        )
        fingerprints.add(scaled.fingerprint())
    assert len(fingerprints) == 3


@pytest.mark.parametrize(
    "text",
    ["", "0", "0:", ":1", "1:0", "0:0", "0:nan", "0:inf", "a:b", "0:1:2"],
)
def test_a_pixel_range_is_two_numbers(text):
    with pytest.raises(UserError, match="`pixel_range` must be low:high"):
        PixelRange.parse(text)


@pytest.mark.parametrize(
    "text", ["0:4095", "-1000:400", "-0.5:0.25", "0:1e+20"]
)
def test_a_pixel_range_comes_back_from_its_text(text):
    assert str(PixelRange.parse(text)) == text


def test_a_model_that_goes_on_keeps_its_range():
    photos = integers(900, 800, 1000)
    before = {INTEGER: PixelRange(0, 4095)}
    assert choose_ranges(photos) == {INTEGER: PixelRange(0, 1023)}
    assert choose_ranges(photos, before=before) == before
    given = PixelRange(0, 2000)
    assert set(choose_ranges(photos, given, before).values()) == {given}
