import numpy as np
import pytest

from errors import UserError
from input_pipeline.contents import Contents
from input_pipeline.duplicates import near_pairs, separate
from input_pipeline.photo_index import PhotoIndex

HASHES = {"like1": 0b1111 << 40, "like2": 0b1101 << 40, "other": 0b1 << 63}


def side(**photos):
    """`name="cat 1"`: a photo of that name and class whose file is b"1"."""
    labels, digests = zip(*(x.split() for x in photos.values()), strict=True)
    names = ("cat", "dog")
    index = PhotoIndex(
        tuple(photos), np.array([names.index(x) for x in labels]), names
    )
    stamps = np.arange(3 * len(photos)).reshape(-1, 3)
    return index, Contents(
        tuple(photos),
        stamps,
        tuple(map(str.encode, digests)),
        tuple(HASHES.get(name) for name in photos),
        np.ones(len(photos), bool),
        (None,) * len(photos),
    )


def test_copies_in_both_sides_train():
    train, validation, said = separate(
        side(a="cat 1", b="dog 2"), side(c="cat 1", d="dog 3", e="dog 2")
    )
    photos, contents = train
    assert photos.paths == contents.paths == ("a", "b", "c", "e")
    assert photos.labels.tolist() == [0, 1, 0, 1]
    assert contents.digests == (b"1", b"2", b"1", b"2")
    assert contents.stamps[2:].tolist() == [[0, 1, 2], [6, 7, 8]]
    assert validation[0].paths == validation[1].paths == ("d",)
    assert said.startswith(
        "Copies of training photos on the validation side: 2"
    )


def test_copies_with_two_labels_are_named():
    train, validation, said = separate(
        side(a="cat 1", b="dog 1"), side(c="cat 2", d="dog 3")
    )
    assert (len(train[0]), len(validation[0])) == (2, 2)
    assert "two labels, one of them wrong: 1" in said
    assert "a (cat), b (dog)" in said


def test_copies_on_one_side_are_nothing_to_speak_of():
    before = side(a="cat 1", b="cat 1"), side(c="dog 2", d="dog 2")
    train, validation, said = separate(*before)
    assert (train, validation) == before and said == ""


def test_nothing_left_to_validate_on():
    with pytest.raises(UserError, match="All photos to validate on"):
        separate(side(a="cat 1", b="dog 2"), side(c="cat 1"))


def test_photos_that_look_the_same_are_named_and_stay():
    before = (
        side(like1="cat 1", a="dog 2"),
        side(like2="cat 3", other="dog 4", b="cat 5"),
    )
    train, validation, said = separate(*before)
    assert (train, validation) == before
    assert "look like training photos, and stay: 1\n  like2 like like1" in said


def test_the_nearest_is_named_whatever_the_bits_that_differ():
    rng = np.random.default_rng(0)
    hashes = [int(x) for x in rng.integers(2**63, size=200)]
    for count in range(5):
        bits = rng.choice(64, count, replace=False)
        changed = hashes[7] ^ sum(1 << int(bit) for bit in bits)
        expected = [(7, 1)] if count <= 3 else []
        assert near_pairs(hashes, [None, changed]) == expected
