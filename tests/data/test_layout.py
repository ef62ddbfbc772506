import os

import pytest

from thaw.data.folder_tree import read_tree
from thaw.data.layout import find_readings


def readings(root, folders, known=()):
    """Returns the readings of a tree: their options, `?` where weak."""
    for folder in folders.split():
        os.makedirs(root / folder)
        (root / folder / "1.jpg").touch()
    return [
        ("? " if reading.weak else "")
        + " ".join(
            os.path.relpath(x, root) if os.sep in x and "*" not in x else x
            for x in reading.options.values()
        )
        for reading in find_readings(read_tree(root), known)
    ]


ONE = [  # what is read in one way, and how it could be asked for
    ("cat dog", ". *"),
    ("bus car train", ". *"),
    ("cat/2020 dog/2020 dog/2021", ". *"),
    ("cat/sub1 cat/sub2 dog/sub1 dog/sub2", ". *"),
    ("train/cat train/dog", "train *"),
    ("train/cat train/dog val/cat val/dog test/cat", "train val"),
    ("train/cat train/dog Testing/cat", "train Testing"),
    ("train/cat train/dog holdout/cat holdout/dog", "train"),
    ("train/cat train/dog test1", "train"),
    ("train/train/cat train/train/dog val/val/cat", "train val"),
    ("w/x/train/cat w/x/train/dog w/x/val/cat", "w/x/train w/x/val"),
    ("bus/red car train/red", ". *"),
]
SEVERAL = [
    ("seg_train/a seg_train/b seg_test/a seg_pred",
     ["seg_train seg_test", ". *"]),
    ("cat dog test", [". *,!test", ". *"]),
    ("cat dog val/cat", [". *,!val val", ". *,!val", ". *"]),
    ("bus car train/a train/b", ["train", ". *"]),
    ("bus car train test", [". *,!test", ". *"]),
    ("train/a train/b stuff", ["train", ". *"]),
    ("train/a train/b val/a valid/a", ["train val", "train valid"]),
    ("train/a train/b test/c", ["train test", ". *"]),
    ("val/a val/b test/a test/b", ["test", "val", ". *"]),
    ("fold_1 fold_2", ["? . *"]),
    ("images masks", ["? . *"]),
    ("train/images train/masks val/images val/masks", ["? train * val"]),
    ("train_images test_images", ["? . *"]),
    ("labeled/a labeled/b unlabeled", ["labeled", ". *"]),
    ("cars_train/cars_train cars_test/cars_test", ["? . *"]),
    ("scans_part_1 scans_part_2", ["? . *"]),
    ("a/images a/masks b/images b/masks", [". *", ". */images", ". */masks"]),
    ("a/train a/test b/train", [". *", ". */train"]),
    ("one/a one/b two/a two/b", [". *", ". */*", "one", "two"]),
    ("a b copy/a copy/b", [". *,!copy", "copy", ". *"]),
]  # fmt: skip


@pytest.mark.parametrize(("folders", "expected"), ONE)
def test_one_reading(tmp_path, folders, expected):
    assert readings(tmp_path, folders) == [expected]


@pytest.mark.parametrize(("folders", "expected"), SEVERAL)
def test_several_readings_or_a_weak_one(tmp_path, folders, expected):
    assert readings(tmp_path, folders) == expected


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        ("cat", ["."]),
        ("cat/a cat/b dog/a dog/b", ["."]),
        ("cat test", ["."]),
        ("seg_train/cat seg_train/dog seg_test/cat", ["seg_train seg_test"]),
        ("images/cat images/dog masks", ["images"]),
        ("val/cat test/cat test/dog", ["test", "val"]),
        ("owl", [". *"]),
        ("x/cat x/dog y", ["x", ". *"]),
    ],
)
def test_names_of_known_classes_decide(tmp_path, folders, expected):
    assert readings(tmp_path, folders, {"cat", "dog"}) == expected
