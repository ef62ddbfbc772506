import csv
import os
import shutil
import warnings

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from tests.support.deep import grey_file
from tests.support.examples import run_example
from thaw.data import photo_report
from thaw.data.photo_report import check_photos
from thaw.errors import UserError


@pytest.fixture
def photos(drawn_photos, tmp_path):
    """A copy of the drawn photos, which a test may change."""
    return shutil.copytree(drawn_photos, tmp_path / "photos")


def test_good_photos_have_an_empty_report(photos):
    report = check_photos(photos)
    assert (report.bad, report.issues, report.problems) == ([], [], [])
    assert len(report.photos) == 48 and report.files == ()
    assert {x.format for x in report.photos.inspections} == {"JPEG"}
    assert (
        str(report) == "Training photos: 48 (24 cat, 24 dog)\nFormats: JPEG 48"
    )


def test_the_report_prints_a_table_and_the_problems(photos):
    (photos / "cat" / "bad.jpg").write_text("no photo")
    Image.new("RGB", (60, 60), "red").save(photos / "dog" / "red.png")
    report = check_photos(photos, validation_data=photos)
    bad = str(photos / "cat" / "bad.jpg")
    assert report.bad == 2 * [(bad, "not an image")]
    kinds = [issue.kind for issue in report.issues]
    moved = "duplicates of training photos (moved to the training set)"
    assert kinds == [*49 * [moved], *2 * ["all of one colour"]]
    assert len(report.photos) == 100 and len(report.splits) == 2
    assert report.problems == [
        "2 of 100 photos cannot be used. Repair or remove them, or train "
        "without them: `skip_bad`",
        "No validation photo is left: all are duplicates of training photos.",
    ]
    lines = str(report).splitlines()
    assert lines[:3] == [
        "Training photos: 50 (25 cat, 25 dog)",
        "Validation photos: 50 (25 cat, 25 dog)",
        "Formats: JPEG 96, PNG 2",
    ]
    assert "     2  all of one colour" in str(report)
    assert lines[-2:] == report.problems


def test_a_table_is_reported_on(photos):
    rows = [f"{x},{x.parent.name}" for x in sorted(photos.glob("*/*.jpg"))]
    rows[0] = rows[0].replace("cat", "CAT")
    rows[1] = f"{photos}/gone.jpg,cat"
    table = photos / "labels.csv"
    lines = ["photo;kind;fold", *(f"{x};0".replace(",", ";") for x in rows)]
    table.write_text("\n".join(lines), encoding="utf-16")
    report = check_photos(table, path_column="photo", label_column="kind")
    assert report.bad == [
        (str(photos / "gone.jpg"), "No such file or directory")
    ]
    text = str(report)
    assert text.startswith(
        "labels.csv: photos in column photo, labels in column kind; not used: "
        "fold (to validate on fold 0, "
    )
    assert "CAT and cat differ only by case: 1 and 23 photos\n" in text
    assert "     1  cannot be used: No such file or directory  gone.jpg" in text


def test_photos_in_no_classes(photos):
    report = check_photos(photos / "cat")
    assert len(report.photos) == 24 and report.photos.class_names == ()
    assert str(report).startswith(
        "24 photos, in no classes\nFormats: JPEG 24\n"
    )
    (problem,) = report.problems
    assert "24 lie directly in it, in no class" in problem


def test_groups_in_both_splits_are_counted(photos):
    for folder in ("cat", "dog"):
        for path in (photos / folder).iterdir():
            number = int(path.stem)
            name = f"{folder}{number // 4}_{number % 4}.jpg"
            path.rename(path.with_name(name))
    report = check_photos(photos)
    assert report.groups == (
        "Names suggest 12 groups, e.g. cat1_*, 7 of them in both splits. "
        "If so, keep each in one: "
        r"`group_regex='([^/]+)[-_. ][A-Za-z]*\d{1,6}\.\w+$'`"
    )
    assert str(report).endswith(report.groups) and not report.problems
    report = check_photos(photos, group_regex=r"(\w+)_\d")
    assert report.groups == "Split by group: 10 groups train, 2 validate"
    report = check_photos(photos, group_regex=r"(cat|dog)")
    assert report.groups is None
    assert "of one group only: 2 of 2 (cat, dog)" in report.problems[0]


def test_the_range_of_12_bits_is_said_and_a_mixture_is_a_problem(tmp_path):
    def write(name, highest):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        numbers = np.linspace(0, highest, 48 * 48).reshape(48, 48)
        path.write_bytes(grey_file(numbers.astype("uint16"), "PNG"))

    for number in range(4):
        write(f"cat/{number}.png", 4095 - number)
        write(f"dog/{number}.png", 2000 + number)
    report = check_photos(tmp_path)
    line = (
        "Pixel range 0:4095 (12 bits in 16): the values of 8 photos go from 0 "
        "to 4,095"
    )
    assert report.pixel_range == line and line in str(report).splitlines()
    assert report.problems == []
    assert "all of one colour" not in {x.kind for x in report.issues}
    for number in range(4, 8):
        write(f"dog/{number}.png", 255)
    (problem,) = check_photos(tmp_path).problems
    assert "4 of 8 bits in 16, e.g. " in problem
    report = check_photos(tmp_path, pixel_range="0:1000")
    assert report.problems == []
    assert report.pixel_range.splitlines()[0] == "Pixel range 0:1000, as given"
    assert "8 of 12 photos have values outside" in report.pixel_range


def test_files_are_written_anew(photos, tmp_path):
    folder = tmp_path / "out"
    bad = os.fsdecode(os.fsencode(photos / "cat") + b"/\xff\n.jpg")
    with open(bad, "w") as file:
        file.write("no photo")
    shutil.copy(photos / "cat" / "0000.jpg", photos / "dog" / "copy.jpg")
    report = check_photos(photos, output_dir=folder)
    names = ["bad_photos.csv", "doubts.csv", "doubts.png"]
    assert report.files == tuple(folder / name for name in names)
    with open(
        folder / "bad_photos.csv", encoding="utf-8", errors="surrogateescape"
    ) as file:
        assert list(csv.reader(file)) == [
            ["path", "reason"],
            [bad, "not an image"],
        ]
    with open(folder / "doubts.csv", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [
            ["path", "kind", "detail", "other"],
            [
                str(photos / "dog" / "copy.jpg"),
                "duplicates with two labels",
                "dog, cat",
                str(photos / "cat" / "0000.jpg"),
            ],
        ]
    with Image.open(folder / "doubts.png") as sheet:
        assert np.asarray(sheet).min() < 50
    os.unlink(bad)
    os.unlink(photos / "dog" / "copy.jpg")
    assert check_photos(photos, output_dir=folder).files == ()
    assert not list(folder.iterdir())


def test_mistakes(photos):
    with pytest.raises(UserError, match="`output_dir`: .* is inside"):
        check_photos(photos, output_dir=photos / "out")
    assert not (photos / "out").exists()
    with pytest.raises(UserError, match="`data`: .*nowhere does not exist"):
        check_photos(photos / "nowhere")
    with pytest.raises(UserError, match="Did you mean demo"):
        check_photos("dmeo")


def test_the_process_stays_as_it_was(photos, tmp_path, monkeypatch):
    def state():
        return (
            Image.MAX_IMAGE_PIXELS,
            PngImagePlugin.MAX_TEXT_CHUNK,
            list(warnings.filters),
            dict(os.environ),
            os.getcwd(),
        )

    check_photos(photos)  # what packages do when first imported apart
    Image.new("RGB", (60, 60), "red").save(photos / "dog" / "red.png")
    before = state()
    check_photos(photos, output_dir=tmp_path / "out")
    assert state() == before
    monkeypatch.setattr(photo_report, "load_thumbnail", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        check_photos(photos, output_dir=tmp_path / "out")
    assert state() == before


def test_its_example_runs(capsys):
    run_example(check_photos)
    assert (
        "Training photos: 1,000 (500 cat, 500 dog)" in capsys.readouterr().out
    )
