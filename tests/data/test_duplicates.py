import numpy as np

from thaw.data.duplicates import (
    Pair,
    as_octets,
    find_equal,
    find_similar,
    near_pairs,
)


def test_of_copies_the_one_that_differs_most_is_named():
    digests = ["x", "y", "x", "x", "x"]
    labels = np.array([0, 0, 0, 1, 0])
    splits = np.array([0, 0, 0, 0, 1])
    assert find_equal(digests, labels, splits) == [
        Pair(2, 0, same_label=True, same_split=True),
        Pair(3, 0, same_label=False, same_split=True),
        Pair(4, 3, same_label=False, same_split=False),
    ]


def test_look_alikes_of_another_label_or_split():
    a, b, c = 0x1FF << 40, 0x0FF << 40, 1 << 127
    hashes = [a, b, None, c, b, a, None]
    labels = np.array([0, 0, 0, 1, 1, 0, 1])
    splits = np.array([0, 0, 0, 0, 0, 1, 1])
    pairs = find_similar(hashes, labels, splits)
    assert pairs == [
        # 1 is like 0, a series: same label and split.
        Pair(4, pairs[0].other, same_label=False, same_split=True),
        Pair(5, 4, same_label=False, same_split=False),
    ]
    assert pairs[0].other in (0, 1)
    assert find_similar([None, None], labels[:2], splits[:2]) == []
    alone = find_similar([a, a], np.zeros(2), np.array([0, 1]))
    assert alone == [Pair(1, 0, same_label=True, same_split=False)]


def pairs_of(hashes, kinds):
    return list(map(tuple, near_pairs(as_octets(hashes), kinds).tolist()))


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
    kinds = rng.integers(3, size=len(hashes))
    every = np.zeros(len(hashes), "int64")
    assert pairs_of(hashes, every - 1) == expected
    assert pairs_of(hashes, every) == []
    assert pairs_of(hashes, kinds) == [
        (i, j) for i, j in expected if kinds[i] != kinds[j]
    ]
    for some in (hashes[:1], []):
        assert pairs_of(some, every[: len(some)] - 1) == []


def test_many_that_look_the_same_take_no_longer():
    """As drawn on black: all within eight bits of each other."""
    rng = np.random.default_rng(0)
    hashes = list(
        {
            sum(1 << int(bit) for bit in rng.choice(40, 4, replace=False))
            for _ in range(3000)
        }
    )
    kinds = rng.integers(2, size=len(hashes))
    shares = []
    pairs = near_pairs(as_octets(hashes), kinds, shares.append)
    assert len(pairs) < 100 * len(hashes)
    assert set(np.ravel(pairs)) == set(range(len(hashes)))
    assert len(shares) == 45 and shares[-1] == 1
