import numpy as np
import pytest

from thaw.data.photos import PhotoIndex
from thaw.data.split import limit_per_class, load_photos, stratified_rows
from thaw.errors import UserError


def make_index(*counts):
    names = tuple(f"class{label}" for label in range(len(counts)))
    labels = np.repeat(np.arange(len(counts)), counts).astype("int32")
    paths = tuple(f"{names[lb]}/{i}.jpg" for i, lb in enumerate(labels))
    return PhotoIndex(paths, labels, names)


def stratified_split(photos, fraction, seed):
    rows = stratified_rows(photos, fraction, seed)
    return [photos.take(some) for some in rows]


def test_every_class_gives_the_same_share():
    train, validation = stratified_split(make_index(100, 50, 10), 0.2, seed=0)
    assert list(train.counts().values()) == [80, 40, 8]
    assert list(validation.counts().values()) == [20, 10, 2]
    assert not set(train.paths) & set(validation.paths)


def test_the_split_depends_on_the_seed_only():
    index = make_index(50, 50)
    first, again, other = (
        stratified_split(index, 0.2, seed)[1].paths for seed in (1, 1, 2)
    )
    assert first == again != other


def test_each_side_gets_a_photo_of_each_class():
    for fraction in (0.01, 0.99):
        for side in stratified_split(make_index(2, 3), fraction, seed=0):
            assert min(side.counts().values()) >= 1


def test_one_photo_cannot_be_split():
    with pytest.raises(UserError, match="class1' has one photo"):
        stratified_split(make_index(5, 1), 0.2, seed=0)


def test_limit_holds_for_each_class():
    limited = limit_per_class(make_index(30, 5), 10, seed=0)
    assert list(limited.counts().values()) == [10, 5]
    assert list(limited.paths) == sorted(
        limited.paths, key=make_index(30, 5).paths.index
    )


def test_photos_are_limited_on_each_side(drawn_photos):
    (photos,) = load_photos(drawn_photos, limit=8)
    assert photos.counts() == {"cat": 8, "dog": 8}
    both = load_photos(drawn_photos, drawn_photos, limit=5, seed=1)
    assert [photos.counts() for photos in both] == 2 * [{"cat": 5, "dog": 5}]
