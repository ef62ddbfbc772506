import csv
import shutil

import pytest
from PIL import Image

from tests.support.scripts import without_log


@pytest.fixture
def photos(drawn_photos, tmp_path):
    """A copy of the drawn photos, which a test may change."""
    return shutil.copytree(drawn_photos, tmp_path / "photos")


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_good_photos_and_a_second_run(photos, tmp_path, run_script):
    first = run_script("doctor.py", "photos")
    assert first.returncode == 0, first.stderr
    assert "Training photos: 48 (24 cat, 24 dog)" in first.stdout
    assert "Checked 48 photos, " in first.stdout
    assert "Formats: JPEG 48" in first.stdout
    assert "All can be used: python train.py --data=photos" in first.stdout
    assert not list((tmp_path / "runs" / "doctor").iterdir())
    second = run_script("doctor.py", "photos")
    assert "Checked 48 photos, all known from before" in second.stdout
    # So does a training run know them.
    trained = run_script(
        "train.py", "--data=photos", "--backbone=vgg16_tiny", "--image_size=32",
        "--head_epochs=1", "--epochs=0",
    )  # fmt: skip
    assert "Checked 48 photos, all known from before" in trained.stdout


def test_what_is_wrong_is_said_listed_and_shown(photos, tmp_path, run_script):
    cats, dogs = photos / "cat", photos / "dog"
    cat = sorted(cats.iterdir())[0]
    (cats / "broken.jpg").write_bytes(cat.read_bytes()[:1000])
    (dogs / "text.jpg").write_text("a dog")
    shutil.copy(cat, dogs / "copy.jpg")
    Image.open(cat).save(cats / "lie.png", "JPEG", quality=50)
    Image.new("RGB", (60, 60), "red").save(dogs / "\u4e2d\u6587.png")
    before = {path: path.stat().st_mtime_ns for path in photos.rglob("*")}
    done = run_script("doctor.py", "photos", "--output_dir=out")
    assert done.returncode == 2
    assert without_log(done.stderr) == (
        "doctor.py: 2 of 53 photos cannot be used. Repair or remove them, or "
        "train without them: --skip_bad\n"
    )
    rows = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    kinds = [row[1] for row in rows if row and row[0].isdecimal()]
    assert [kind.split("  ")[0] for kind in kinds] == [
        "cannot be used: damaged",
        "cannot be used: not an image",
        "duplicates with two labels",
        "format differs from the file extension",
        "all of one colour",
    ]
    bad = read(tmp_path / "out" / "bad_photos.csv")
    assert bad[0] == ["path", "reason"] and len(bad) == 3
    assert bad[1][0] == "photos/cat/broken.jpg"
    assert bad[1][1].startswith("damaged (image file is truncated")
    assert bad[2] == ["photos/dog/text.jpg", "not an image"]
    doubts = read(tmp_path / "out" / "doubts.csv")
    assert doubts[0] == ["path", "kind", "detail", "other"]
    assert doubts[1] == [
        "photos/dog/copy.jpg",
        "duplicates with two labels",
        "dog, cat",
        f"photos/cat/{cat.name}",
    ]
    with Image.open(tmp_path / "out" / "doubts.png") as sheet:
        assert sheet.width > 800 and sheet.height > 300
    after = {path: path.stat().st_mtime_ns for path in photos.rglob("*")}
    assert after == before
    # What is repaired is no longer listed.
    for path in ("cat/broken.jpg", "dog/text.jpg", "dog/copy.jpg",
                 "cat/lie.png", "dog/\u4e2d\u6587.png"):  # fmt: skip
        (photos / path).unlink()
    assert not run_script("doctor.py", "photos", "--output_dir=out").returncode
    assert not list((tmp_path / "out").iterdir())


def test_photos_without_classes_are_looked_at_all_the_same(
    drawn_photos, tmp_path, run_script
):
    done = run_script("doctor.py", drawn_photos / "cat")
    assert done.returncode == 2
    assert "24 photos, in no classes" in done.stdout
    assert "Checked 24 photos" in done.stdout
    assert "24 lie directly in it, in no class" in done.stderr
    named = run_script("doctor.py", drawn_photos, "--label_regex=(.)\\.jpg")
    assert "Training photos: 48 (" in named.stdout


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "Expected one folder"),
        (["a", "b"], "Expected one folder"),
        (["nowhere"], "nowhere does not exist"),
        (["photos", "--output_dir=photos/out"], "is inside"),
        (["photos", "--max_pixels=0"], "max_pixels"),
        (["photos", "--skip"], "Unknown flag --skip"),
    ],
)
def test_mistakes_are_one_message(photos, run_script, arguments, message):
    done = run_script("doctor.py", *arguments)
    assert done.returncode == 2
    assert message in done.stderr and done.stderr.count("\n") == 1


def test_readings_and_what_is_not_used_are_shown(photos, run_script):
    unlabelled = photos / "test"
    unlabelled.mkdir()
    (photos / "cat" / "0000.jpg").rename(unlabelled / "0.jpg")
    stopped = run_script("doctor.py", "photos")
    assert stopped.returncode == 2
    message = without_log(stopped.stderr)
    assert message.startswith("doctor.py: --data: photos can be read in 2 ways")
    assert "     not used: test/ (1 photo)\n" in message
    assert "   --data=photos --class_folders='*,!test'\n" in message
    done = run_script("doctor.py", "--data=photos", "--class_folders=*,!test")
    assert done.returncode == 0, done.stderr
    assert "Training photos: 47 (23 cat, 24 dog)" in done.stdout
    assert done.stdout.endswith(
        "python train.py --data=photos '--class_folders=*,!test'\n"
    )
    (photos / "train").mkdir()
    for name in ("cat", "dog"):
        (photos / name).rename(photos / "train" / name)
    done = run_script("doctor.py", "photos")
    assert (
        "test/ (1 photo) was not used; to predict its classes: python "
        "predict.py RUN photos/test\n" in done.stdout
    )
    assert done.stdout.count("not used") == 1
