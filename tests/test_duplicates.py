import numpy as np
import pytest

from errors import UserError
from input_pipeline.contents import Contents
from input_pipeline.duplicates import (
    Pair,
    find_copies,
    find_look_alikes,
    near_pairs,
    separate,
)
from input_pipeline.look import Found
from input_pipeline.photo_index import PhotoIndex


def side(**photos):
    """`name="cat 1"`: a photo of that name and class whose file is "1"."""
    labels, digests = zip(*(x.split() for x in photos.values()), strict=True)
    names = ("cat", "dog")
    index = PhotoIndex(
        tuple(photos), np.array([names.index(x) for x in labels]), names
    )
    stamps = np.arange(3 * len(photos)).reshape(-1, 3)
    found = tuple(Found(digest=digest) for digest in digests)
    return index, Contents(tuple(photos), stamps, found)


def test_copies_in_both_sides_train():
    train, validation = separate(
        side(a="cat 1", b="dog 2"), side(c="cat 1", d="dog 3", e="dog 2")
    )
    photos, contents = train
    assert photos.paths == contents.paths == ("a", "b", "c", "e")
    assert photos.labels.tolist() == [0, 1, 0, 1]
    assert [look.digest for look in contents.found] == ["1", "2", "1", "2"]
    assert contents.stamps[2:].tolist() == [[0, 1, 2], [6, 7, 8]]
    assert validation[0].paths == validation[1].paths == ("d",)


def test_copies_on_one_side_stay():
    before = side(a="cat 1", b="cat 1"), side(c="dog 2", d="dog 2")
    assert separate(*before) == before


def test_nothing_left_to_validate_on():
    with pytest.raises(UserError, match="All photos to validate on"):
        separate(side(a="cat 1", b="dog 2"), side(c="cat 1"))


def test_of_copies_the_one_that_differs_most_is_named():
    digests = ["x", "y", "x", "x", "x"]
    labels = np.array([0, 0, 0, 1, 0])
    sides = np.array([0, 0, 0, 0, 1])
    assert find_copies(digests, labels, sides) == [
        Pair(2, 0, same_label=True, same_side=True),
        Pair(3, 0, same_label=False, same_side=True),
        Pair(4, 3, same_label=False, same_side=False),
    ]


def test_look_alikes_of_another_label_or_side():
    a, b, c = 0x1FF << 40, 0x0FF << 40, 1 << 127
    hashes = [a, b, None, c, b, a, None]
    labels = np.array([0, 0, 0, 1, 1, 0, 1])
    sides = np.array([0, 0, 0, 0, 0, 1, 1])
    pairs = find_look_alikes(hashes, labels, sides)
    assert pairs == [
        # 1 is like 0, a series: same label and side.
        Pair(4, pairs[0].other, same_label=False, same_side=True),
        Pair(5, 4, same_label=False, same_side=False),
    ]
    assert pairs[0].other in (0, 1)
    assert find_look_alikes([None, None], labels[:2], sides[:2]) == []
    alone = find_look_alikes([a, a], np.zeros(2), np.array([0, 1]))
    assert alone == [Pair(1, 0, same_label=True, same_side=False)]


def test_near_pairs_are_those_of_a_search_of_all():
    rng = np.random.default_rng(0)
    hashes = [int.from_bytes(rng.bytes(16), "big") for _ in range(60)]
    for number in hashes[:60]:
        bits = rng.choice(128, rng.integers(5, 12), replace=False)
        hashes.append(number ^ sum(1 << int(bit) for bit in bits))
    expected = [
        (i, j)
        for i in range(len(hashes))
        for j in range(i + 1, len(hashes))
        if (hashes[i] ^ hashes[j]).bit_count() <= 8
    ]
    assert 20 < len(expected) < 50
    assert near_pairs(hashes) == expected
    assert near_pairs(hashes[:1]) == near_pairs([]) == []
