from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from thaw.data.file_names import load_by_name
from thaw.data.load import load_photos
from thaw.errors import UserError

PETS = r"(.+)_\d+.jpg$"


@pytest.fixture
def pets(tmp_path):
    folder = tmp_path / "pets"
    folder.mkdir()
    for name in ("great_pyrenees_1", "great_pyrenees_23", "Bombay_7"):
        Image.new("RGB", (8, 8)).save(folder / f"{name}.jpg")
    return folder


def test_the_class_is_the_first_group_in_the_name(pets):
    photos, validation = load_by_name(pets, None, PETS)
    assert validation is None
    assert photos.class_names == ("Bombay", "great_pyrenees")
    assert [Path(path).name for path in photos.paths] == [
        "Bombay_7.jpg",
        "great_pyrenees_1.jpg",
        "great_pyrenees_23.jpg",
    ]
    assert (
        photos.labels.tolist() == [0, 1, 1] and photos.labels.dtype == "int32"
    )


def test_it_is_split_like_any_other(pets):
    Image.new("RGB", (8, 8)).save(pets / "Bombay_8.jpg")
    photos, _ = load_photos(pets, label_regex=PETS)
    assert sum(photos.counts().values()) == 4
    train, validation = load_photos(pets, pets, label_regex=PETS)
    np.testing.assert_array_equal(train.labels, validation.labels)


@pytest.mark.parametrize(
    "label_regex, words",
    [
        (r"(dog)_\d", ["3 of 3 names", "Bombay_7.jpg, great_pyrenees_1.jpg"]),
        (r"(great_pyrenees)", ["1 of 3 names", "e.g. Bombay_7.jpg"]),
        (r"()_\d", ["3 of 3 names"]),
        (r"(.+_\d", ["not a regular expression"]),
        (r".+_\d", ["has no group"]),
        (r"(_)\d+", ["Only one class, '_', in"]),
    ],
)
def test_an_expression_that_does_not_fit_is_said(pets, label_regex, words):
    with pytest.raises(UserError) as error:
        load_photos(pets, label_regex=label_regex)
    for word in words:
        assert word in str(error.value)


def test_folders_of_a_split_are_one_with_names_too(tmp_path):
    for name in ("train/cat.1", "train/dog.1", "test/cat.2", "test1/3"):
        path = tmp_path / "pets" / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"photo")
    regex = r"(.+)\.\d\.jpg"
    train, validation = load_photos(tmp_path, label_regex=regex)
    assert train.counts() == {"cat": 1, "dog": 1}
    assert validation.counts() == {"cat": 1, "dog": 0}
    assert not train.skipped  # a note says it
    pets = tmp_path / "pets"
    assert train.notes == (
        f"Training photos: those in {pets / 'train'}",
        f"Validation photos: those in {pets / 'test'}",
        "pets/test1/ (1 photo) was not used; to predict its classes: python "
        f"predict.py RUN {pets / 'test1'}",
    )
    (pets / "holdout").mkdir()
    (pets / "holdout" / "dog.4.jpg").write_bytes(b"photo")
    train, validation = load_photos(pets, pets / "holdout", label_regex=regex)
    assert validation.counts() == {"cat": 0, "dog": 1}
    assert len(train.notes) == 2  # on test and test1
    (pets / "more").mkdir()
    (pets / "more" / "cat.5.jpg").write_bytes(b"photo")
    with pytest.raises(UserError, match="look like the splits of a dataset"):
        load_photos(tmp_path, label_regex=regex)
