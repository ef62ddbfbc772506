import numpy as np
import pytest

from thaw.data.photos import Photos
from thaw.data.rare_classes import settle_rare_classes
from thaw.errors import UserError


def make_photos(counts, groups=()):
    """Photos of classes with so many photos each, by name."""
    labels = np.repeat(np.arange(len(counts)), list(counts.values()))
    paths = tuple(f"{row}.jpg" for row in range(len(labels)))
    return Photos(paths, labels.astype("int32"), (*counts,), groups=(*groups,))


def test_all_are_named_in_one_message():
    counts = {"cat": 9, "dog": 2} | {f"rare{n}": 1 for n in range(8)}
    with pytest.raises(UserError) as error:
        settle_rare_classes([make_photos(counts | {"none": 0})], "stop")
    assert str(error.value) == (
        "No photo of none can be used. Classes with one photo only: 8 of 11 "
        "(rare0, rare1, rare2, rare3, rare4 and 3 more). Expected at least two "
        "photos of each class, to train and to validate on. Add some, or leave "
        "such classes out: `rare_classes=drop`, or only train on them: "
        "`rare_classes=train`"
    )


def test_classes_of_one_group_are_rare():
    photos = make_photos({"cat": 4, "dog": 3}, "aabbccc")
    with pytest.raises(
        UserError,
        match=r"Classes with photos of one group only: 1 of 2 \(dog\). "
        "Expected at least two groups of each class",
    ):
        settle_rare_classes([photos], "stop")
    assert settle_rare_classes([photos], "train") == [photos]


def test_they_train_or_are_dropped(capsys):
    photos = make_photos({"ant": 1, "bee": 0, "cat": 3, "dog": 2})
    with pytest.raises(UserError, match="^No photo of bee can be used.*drop`$"):
        settle_rare_classes([photos], "train")
    (left,) = settle_rare_classes([photos], "drop")
    assert left.counts() == {"cat": 3, "dog": 2}
    assert left.paths == photos.paths[1:] and left.labels.tolist() == [
        0, 0, 0, 1, 1
    ]  # fmt: skip
    assert capsys.readouterr().out == (
        "`rare_classes=drop`: left out 2 of 4 classes, 1 of 6 photos: ant, "
        "bee\n"
    )


def test_of_given_splits_one_photo_trains():
    splits = [
        make_photos({"ant": 1, "bee": 0, "cat": 3}),
        make_photos({"ant": 0, "bee": 2, "cat": 1}),
    ]
    for choice in ("stop", "train"):
        with pytest.raises(UserError, match="No training photo of bee can be"):
            settle_rare_classes(splits, choice)
    train, validation = settle_rare_classes(splits, "drop")
    assert train.counts() == {"ant": 1, "cat": 3}
    assert validation.counts() == {"ant": 0, "cat": 1}


def test_one_class_is_too_few():
    with pytest.raises(UserError, match="leaves 1 of 3 classes"):
        settle_rare_classes([make_photos({"a": 5, "b": 1, "c": 1})], "drop")
