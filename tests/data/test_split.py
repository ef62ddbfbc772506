import dataclasses

import numpy as np
import pytest

from thaw.data.inspect_worker import Inspection
from thaw.data.photos import Photos
from thaw.data.split import (
    limit_per_class,
    move_duplicates,
    split_photos,
    stratified_rows,
)
from thaw.errors import UserError


def make_photos(*counts):
    names = tuple(f"class{label}" for label in range(len(counts)))
    labels = np.repeat(np.arange(len(counts)), counts).astype("int32")
    paths = tuple(f"{names[lb]}/{i}.jpg" for i, lb in enumerate(labels))
    return Photos(paths, labels, names)


def stratified_split(photos, fraction, seed):
    rows = stratified_rows(photos, fraction, seed)
    return [photos.take(some) for some in rows]


def test_every_class_gives_the_same_share():
    train, validation = stratified_split(make_photos(100, 50, 10), 0.2, seed=0)
    assert list(train.counts().values()) == [80, 40, 8]
    assert list(validation.counts().values()) == [20, 10, 2]
    assert not set(train.paths) & set(validation.paths)


def test_the_split_depends_on_the_seed_only():
    photos = make_photos(50, 50)
    first, again, other = (
        stratified_split(photos, 0.2, seed)[1].paths for seed in (1, 1, 2)
    )
    assert first == again != other


def test_each_split_gets_a_photo_of_each_class():
    for fraction in (0.01, 0.99):
        for photos in stratified_split(make_photos(2, 3), fraction, seed=0):
            assert min(photos.counts().values()) >= 1


def test_an_only_photo_trains():
    train, validation = stratified_split(make_photos(10, 1, 0), 0.2, seed=0)
    assert list(train.counts().values()) == [8, 1, 0]
    assert list(validation.counts().values()) == [2, 0, 0]


def test_limit_holds_for_each_class():
    limited = limit_per_class(make_photos(30, 5), 10, seed=0)
    assert list(limited.counts().values()) == [10, 5]
    assert list(limited.paths) == sorted(
        limited.paths, key=make_photos(30, 5).paths.index
    )


def inspected(**photos):
    """`name="cat 1"`: a photo of that name and class whose file is "1"."""
    labels, digests = zip(*(x.split() for x in photos.values()), strict=True)
    names = ("cat", "dog")
    return Photos(
        tuple(photos),
        np.array([names.index(x) for x in labels], "int32"),
        names,
        inspections=tuple(Inspection(digest=digest) for digest in digests),
        stamps=np.arange(3 * len(photos)).reshape(-1, 3),
    )


def digests(photos):
    return [inspection.digest for inspection in photos.inspections]


def test_duplicates_in_both_splits_train():
    train, validation = move_duplicates(
        inspected(a="cat 1", b="dog 2"),
        inspected(c="cat 1", d="dog 3", e="dog 2", f="cat 4"),
    )
    assert train.paths == ("a", "b", "c", "e")
    assert train.labels.tolist() == [0, 1, 0, 1]
    assert train.labels.dtype == "int32"
    assert digests(train) == ["1", "2", "1", "2"]
    assert train.stamps[2:].tolist() == [[0, 1, 2], [6, 7, 8]]
    assert validation.paths == ("d", "f")
    assert digests(validation) == ["3", "4"]


def test_duplicates_in_one_split_stay():
    before = (
        inspected(a="cat 1", b="cat 1"),
        inspected(c="dog 2", d="dog 2"),
    )
    assert move_duplicates(*before) == before


def test_nothing_left_to_validate_on():
    train = inspected(a="cat 1", b="dog 2")
    with pytest.raises(UserError, match="No validation photo is left"):
        move_duplicates(train, inspected(c="cat 1", d="dog 2"))
    _, validation = move_duplicates(train, inspected(c="cat 1", d="dog 3"))
    assert validation.counts() == {"cat": 0, "dog": 1}


def test_only_usable_photos_are_split():
    photos = inspected(
        **{f"p{n}": f"{('cat', 'dog')[n % 2]} {n}" for n in range(12)}
    )
    photos = dataclasses.replace(
        photos,
        inspections=tuple(
            one._replace(reason="damaged" if row < 4 else None)
            for row, one in enumerate(photos.inspections)
        ),
    )
    assert photos.usable().paths == photos.paths[4:]
    two = [photos.take(range(3)).usable(), photos.take(range(3, 12)).usable()]
    assert list(map(len, two)) == [0, 8]
    assert two[1].stamps[0].tolist() == [12, 13, 14]
    train, validation = split_photos([photos.usable()], 0.25, seed=0)
    assert train.counts() == {"cat": 3, "dog": 3}
    assert validation.counts() == {"cat": 1, "dog": 1}
    assert not {*train.paths, *validation.paths} & set(photos.paths[:4])
    with pytest.raises(UserError, match="No training photo of cat, dog can"):
        split_photos(two)
    with pytest.raises(UserError, match="No photo of cat, dog can be used"):
        split_photos([two[0]])


def test_nothing_is_left_to_validate_on():
    only = [inspected(a="cat 1", b="dog 2")]
    with pytest.raises(UserError, match="No photo is left for validation"):
        split_photos(only, rare_classes="train")


def test_groups_are_not_divided():
    photos = make_photos(40, 40)
    groups = tuple(f"camera {row // 4}" for row in range(80))
    photos = dataclasses.replace(photos, groups=groups)
    train, validation = split_photos([photos], 0.2, seed=0)
    assert train.counts() == {"class0": 32, "class1": 32}
    assert validation.counts() == {"class0": 8, "class1": 8}
    assert not set(train.groups) & set(validation.groups)


def test_photos_to_validate_on_of_no_class_that_trains():
    photos = make_photos(1, 1, 1)
    two = [photos.take([0, 1]), photos.take([2])]
    with pytest.raises(UserError, match="No validation photo is left: none"):
        split_photos(two, rare_classes="drop")
