import os
import shutil
import types

import numpy as np
import pytest

from tests.support.deep import grey_file
from thaw.data import prepare
from thaw.data.photos import Photos
from thaw.data.views import PhotoViews
from thaw.errors import UserError
from thaw.pixel_range import PixelRange


def config(data, **options):
    defaults = {
        "data": str(data),
        "validation_data": None,
        "label_regex": None,
        "group_regex": None,
        "path_column": None,
        "label_column": None,
        "class_folders": None,
        "limit": None,
        "seed": 0,
        "max_pixels": 10**8,
        "skip_bad": 0.0,
        "validation_fraction": 0.25,
        "rare_classes": "stop",
        "class_weights": "none",
        "pixel_range": None,
    }
    return types.SimpleNamespace(**defaults | options)


def inspect_and_split(found, options):
    with prepare.start_inspection(found, options) as inspect:
        return prepare.inspect_and_split(inspect, options)


def test_photos_of_each_split_are_limited(drawn_photos):
    (photos,) = prepare.find_photos(config(drawn_photos, limit=8))
    assert photos.counts() == {"cat": 8, "dog": 8}
    both = prepare.find_photos(
        config(drawn_photos, validation_data=drawn_photos, limit=5, seed=1)
    )
    assert [photos.counts() for photos in both] == 2 * [{"cat": 5, "dog": 5}]


def test_paths_are_absolute(drawn_photos, monkeypatch):
    monkeypatch.chdir(drawn_photos.parent)
    (photos,) = prepare.find_photos(config(drawn_photos.name))
    assert photos.paths[0] == str(drawn_photos / "cat" / "0000.jpg")


def test_bad_photos_and_duplicates_are_out_of_the_splits(
    drawn_photos, tmp_path, capsys
):
    data = shutil.copytree(drawn_photos, tmp_path / "data")
    (data / "cat" / "bad.jpg").write_text("no photo")
    for name in ("train", "validation"):
        shutil.copytree(data, tmp_path / "split" / name)
    for number in range(4, 24):
        for folder in ("cat", "dog"):
            name = f"{folder}/{number:04d}.jpg"
            split = "train" if number < 14 else "validation"
            os.unlink(tmp_path / "split" / split / name)
    options = config(tmp_path / "split")
    found = prepare.find_photos(options)
    with pytest.raises(UserError, match="2 of 58 photos cannot"):
        inspect_and_split(found, options)
    options.skip_bad = 0.1
    splits = inspect_and_split(found, options)
    assert len(splits.train) == 28 + 8 and len(splits.validation) == 20
    assert [os.path.basename(path) for path, _ in splits.bad] == 2 * ["bad.jpg"]
    assert sum(splits.quality.values()) == 8 + 2
    assert "They are skipped." in capsys.readouterr().err


def copy_photos(drawn_photos, folder, names):
    """Copies `cat/0000.jpg` and so on to the names they are given."""
    for target, source in names.items():
        path = folder / target
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(drawn_photos / source, path)


def of_patients(first, last):
    """Two photos of each class of some patients, from 10 per class on."""
    return {
        f"{folder}/p{n}_{k}.jpg": f"{folder}/{2 * n + k:04d}.jpg"
        for folder in ("cat", "dog")
        for n in range(first, last)
        for k in (0, 1)
    }


def test_groups_in_names_stay_together(drawn_photos, tmp_path, capsys):
    copy_photos(drawn_photos, tmp_path, of_patients(0, 10))
    # One photo of two patients: a copy is not moved out of its group.
    copied = {"cat/p0_2.jpg": "cat/0002.jpg", "dog/p1_2.jpg": "dog/0004.jpg"}
    copy_photos(drawn_photos, tmp_path, copied)
    options = config(tmp_path, group_regex=r"/(p\d+)_")
    splits = inspect_and_split(prepare.find_photos(options), options)
    train, validation = (set(x.groups) for x in splits[:2])
    assert not train & validation
    assert train | validation == {"p0", *(f"p{n}" for n in range(3, 10))}
    assert splits.validation.counts() == {"cat": 4, "dog": 4}
    assert len(splits.train) + len(splits.validation) == 42
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "Split by group: 6 groups train, 2 validate"
    again = inspect_and_split(prepare.find_photos(options), options)
    assert again.validation.paths == splits.validation.paths


def test_groups_in_both_given_splits_are_counted(
    drawn_photos, tmp_path, capsys
):
    copy_photos(drawn_photos, tmp_path / "train", of_patients(0, 6))
    copy_photos(drawn_photos, tmp_path / "validation", of_patients(6, 8))
    shared = {"cat/p5_9.jpg": "cat/0020.jpg", "dog/p5_8.jpg": "dog/0021.jpg"}
    copy_photos(drawn_photos, tmp_path / "validation", shared)
    options = config(tmp_path, group_regex=r"/(p\d+)_")
    splits = inspect_and_split(prepare.find_photos(options), options)
    assert (len(splits.train), len(splits.validation)) == (24, 10)
    assert splits.quality["validation photos of groups in both splits"] == 2
    assert (
        "1 of 8 groups are in both splits (2 of 10 validation photos), e.g. "
        "validation/cat/p5_9.jpg and train/cat/p5_0.jpg: validation accuracy "
        "may be too high"
    ) in capsys.readouterr().out


def test_rare_classes_are_those_of_usable_photos(
    drawn_photos, tmp_path, capsys
):
    copy_photos(drawn_photos, tmp_path, of_patients(0, 4))
    (tmp_path / "owl").mkdir()
    (tmp_path / "owl" / "bad.jpg").write_text("no photo")
    shutil.copy(drawn_photos / "dog" / "0009.jpg", tmp_path / "owl" / "1.jpg")
    options = config(tmp_path, skip_bad=1.0)
    found = prepare.find_photos(options)
    with pytest.raises(UserError, match=r"one photo only: 1 of 3 \(owl\)"):
        inspect_and_split(found, options)
    options.rare_classes = "train"
    splits = inspect_and_split(found, options)
    assert splits.train.counts() == {"cat": 6, "dog": 6, "owl": 1}
    assert splits.validation.counts() == {"cat": 2, "dog": 2, "owl": 0}
    options.rare_classes = "drop"
    splits = inspect_and_split(found, options)
    assert splits.train.class_names == ("cat", "dog")
    assert splits.validation.class_names == ("cat", "dog")
    assert (
        "`rare_classes=drop`: left out 1 of 3 classes, 1 of 17 photos: owl"
        in capsys.readouterr().out
    )


def test_both_splits_are_scaled_from_one_range(tmp_path, capsys):
    for split, highest in (("train", 900), ("validation", 4000)):
        for label in ("cat", "dog"):
            (tmp_path / split / label).mkdir(parents=True)
            for number in range(3):
                top = highest - 100 * number - 30 * (label == "dog")
                numbers = np.linspace(0, top, 64).reshape(8, 8).astype("uint16")
                path = tmp_path / split / label / f"{number}.png"
                path.write_bytes(grey_file(numbers, "PNG"))
    options = config(tmp_path)
    splits = inspect_and_split(prepare.find_photos(options), options)
    assert "Pixel range 0:4095 (12 bits in 16)" in capsys.readouterr().out
    for photos in splits[:2]:
        assert photos.pixel_ranges == {"integer": PixelRange(0, 4095)}
    images = PhotoViews(splits.train, lambda x: x, 8).images(0, [0], 1)
    levels = np.linspace(0, 900, 64).astype("uint16") * (255 / 4095)
    (shown,) = images.as_numpy_iterator()
    np.testing.assert_array_equal(shown[0, ..., 0].ravel(), levels.round())
    options.pixel_range = "0:2000"
    splits = inspect_and_split(prepare.find_photos(options), options)
    assert set(splits.train.pixel_ranges.values()) == {PixelRange(0, 2000)}


def test_a_few_bad_photos_may_be_left_out(drawn_photos, tmp_path):
    bad = tmp_path / "bad.jpg"
    bad.write_text("no photo")
    paths = [str(bad), str(drawn_photos / "cat" / "0000.jpg")]
    options = {"max_pixels": 10**8, "way_out": "Give others."}
    usable, left_out = prepare.inspect_usable(
        Photos.unlabelled(paths), most_bad=0.5, **options
    )
    assert usable.paths == (paths[1],)
    assert left_out == [(paths[0], "not an image")]
    for some, most_bad in ((paths, 0.4), (paths[:1], 1.0)):
        with pytest.raises(UserError, match="not an image\nGive others."):
            prepare.inspect_usable(
                Photos.unlabelled(some), most_bad=most_bad, **options
            )


def numbered_classes(folder):
    for name in ("0", "1", "2", "10"):
        for number in range(8):
            path = folder / name / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    return folder


def test_numeric_classes_are_in_order_of_their_value(tmp_path):
    (photos,) = prepare.find_photos(config(numbered_classes(tmp_path)))
    assert photos.class_names == ("0", "1", "2", "10")
    assert photos.counts() == dict.fromkeys(photos.class_names, 8)
    for path, label in zip(photos.paths, photos.labels, strict=True):
        assert (
            os.path.basename(os.path.dirname(path))
            == (photos.class_names[label])
        )


def test_a_run_that_goes_on_keeps_its_order_of_classes(tmp_path):
    folder, before = numbered_classes(tmp_path), ("0", "1", "10", "2")
    options = config(folder, limit=3)
    (photos,) = prepare.find_photos(options, before)
    assert photos.class_names == before
    # What is drawn goes by the number of the class.
    (now,) = prepare.find_photos(options)
    assert photos.paths[:6] == now.paths[:6] and photos.paths != now.paths


def test_names_that_are_nearly_the_same_are_said(tmp_path, capsys):
    table = tmp_path / "labels.csv"
    rows = ["0.png,Bee", "1.png,bee", "2.png,Bee", "3.png,wasp"]
    table.write_text("\n".join(["path,label", *rows]), encoding="utf-8")
    (tmp_path / "0.png").touch()
    prepare.find_photos(config(table, limit=1))
    said = capsys.readouterr().out
    assert "Bee and bee differ only by case: 2 and 1 photos\n" in said


def test_notes_on_a_table_are_said(drawn_photos, tmp_path, capsys):
    table = tmp_path / "labels.csv"
    rows = [f"{x},{x.parent.name},a" for x in drawn_photos.glob("*/*.jpg")]
    table.write_text("\n".join(["path,label,camera", *rows]), encoding="utf-8")
    prepare.find_photos(config(table))
    assert "labels.csv: not used: camera\n" in capsys.readouterr().out


def test_missing_photos_of_a_table_can_be_skipped(drawn_photos, tmp_path):
    table = tmp_path / "labels.csv"
    rows = [f"{x},{x.parent.name}" for x in drawn_photos.glob("*/*.jpg")]
    rows[5:5] = [f"{tmp_path}/gone.jpg,cat"]
    table.write_text("\n".join(["path,label", *rows]), encoding="utf-8")
    options = config(table, skip_bad=0.01)
    found = prepare.find_photos(options)
    with pytest.raises(
        UserError, match="1 of 49 photos cannot be used:\n.*gone"
    ):
        inspect_and_split(found, options)
    options.skip_bad = 0.05
    splits = inspect_and_split(found, options)
    assert len(splits.train) + len(splits.validation) == 48
    assert splits.bad == [
        (str(tmp_path / "gone.jpg"), "No such file or directory")
    ]


def test_the_first_classes_come_first_and_are_drawn_as_before(tmp_path):
    for name in ("bee", "cat"):
        for number in range(9):
            path = tmp_path / "photos" / name / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
    limited = config(tmp_path / "photos", limit=4)
    (before,) = prepare.find_photos(limited)
    (tmp_path / "photos" / "ant").mkdir()
    for number in range(9):
        (tmp_path / "photos" / "ant" / f"{number}.jpg").write_bytes(b"")
    (after,) = prepare.find_photos(limited, ("cow", "bee", "cat"))
    assert after.class_names == ("bee", "cat", "ant")
    for path, label in zip(after.paths, after.labels, strict=True):
        assert after.class_names[label] in path.split("/")
    old = after.take(np.flatnonzero(after.labels < 2))
    assert set(old.paths) == set(before.paths)
