import datetime

import pytest
from PIL import ExifTags, Image

from thaw.data.bursts import describe_bursts
from thaw.data.photos import Photos


@pytest.fixture
def photos_at(tmp_path):
    """Returns a function that makes photos taken at some seconds."""

    def make(seconds, cameras=None):
        start = datetime.datetime(2024, 1, 31, 12, 0, 0)
        paths = []
        for row, after in enumerate(seconds):
            exif = Image.Exif()
            exif[ExifTags.Base.Model] = cameras[row] if cameras else "A"
            if after is not None:
                time = start + datetime.timedelta(seconds=after)
                details = exif.get_ifd(ExifTags.IFD.Exif)
                details[ExifTags.Base.DateTimeOriginal] = time.strftime(
                    "%Y:%m:%d %H:%M:%S"
                )
            paths.append(str(tmp_path / f"{row:02d}.jpg"))
            Image.new("RGB", (8, 8)).save(paths[-1], exif=exif)
        return Photos.labelled(paths, ["cat"] * len(paths))

    return make


def describe(photos, validation_rows):
    rows = set(range(len(photos))) - set(validation_rows)
    return describe_bursts(
        photos.take(sorted(rows)), photos.take(validation_rows)
    )


def test_photos_within_seconds_are_a_burst(photos_at):
    photos = photos_at([0, 1, 3, 60, 61, 120, 123, None, None])
    line = describe(photos, [2, 6])
    assert line.startswith(
        "EXIF times suggest 2 bursts, e.g. 00.jpg to 02.jpg, 1 of them in both "
        "splits."
    )
    assert describe(photos, [3, 4, 5, 8]) is None


def test_each_camera_has_its_own(photos_at):
    photos = photos_at([0, 1, 2, 3], cameras="ABAB")
    assert describe(photos, [2, 3]).startswith("EXIF times suggest 2 bursts")
    assert describe(photos, [0, 2]) is None


def test_a_clock_that_is_not_set_is_no_burst(photos_at):
    assert describe(photos_at(51 * [0]), range(10)) is None


def test_broken_times_say_nothing(tmp_path):
    paths = [str(tmp_path / f"{row}.jpg") for row in range(3)]
    for path, text in zip(
        paths, ("0000:00:00 00:00:00", "now", ""), strict=True
    ):
        exif = Image.Exif()
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = text
        Image.new("RGB", (8, 8)).save(path, exif=exif)
    photos = Photos.labelled(paths, ["cat"] * 3)
    assert describe(photos, [0]) is None
    assert describe(photos.take([]), []) is None


def test_reading_the_times_of_many_photos_is_shown(
    photos_at, monkeypatch, capsys
):
    monkeypatch.setattr("thaw.progress._SAID_SECONDS", -1)
    describe(photos_at([0, 1, 9, None]), [1])
    assert "3 of 4 read for EXIF times, " in capsys.readouterr().err
