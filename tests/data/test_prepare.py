import os
import shutil
import types

import numpy as np
import pytest

from thaw.data import prepare
from thaw.data.photos import Photos
from thaw.errors import UserError


def config(data, **options):
    defaults = {
        "data": str(data),
        "validation_data": None,
        "label_regex": None,
        "limit": None,
        "seed": 0,
        "max_pixels": 10**8,
        "skip_bad": 0.0,
        "validation_fraction": 0.25,
        "class_weights": "none",
    }
    return types.SimpleNamespace(**defaults | options)


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
        prepare.inspect_and_split(found, options)
    options.skip_bad = 0.1
    splits = prepare.inspect_and_split(found, options)
    assert len(splits.train) == 28 + 8 and len(splits.validation) == 20
    assert [os.path.basename(path) for path, _ in splits.bad] == 2 * ["bad.jpg"]
    assert sum(splits.quality.values()) == 8 + 2
    assert "They are skipped." in capsys.readouterr().err


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
