"""Duplicates: equal files, and photos that look the same."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

# Bits of 128. Of 300 photos of cats and dogs, 98% or more at a quarter of the
# size, in other light, or strongly compressed were within 8 of themselves; of
# all pairs of 3,000 photos, none that do not look the same within 23.
_NEAR = 8
_OCTETS = 16  # of a hash
_PARTS = 10  # of a hash; at least two are equal where eight bits differ
_BITS_SET = np.array([x.bit_count() for x in range(1 << 16)], "uint8")
_MOST_PARTNERS = 8  # of a hash that others already have
_COMPARED = 100  # hashes after each in the order of two parts
_COLUMNS = 16  # bits of every hash that are floats at a time
_SEVERAL = -1  # kind of a hash that photos of several labels or splits share


class Pair(NamedTuple):
    """Two rows of the same photo, and whether label and split are equal."""

    row: int
    other: int  # the earlier one
    same_label: bool
    same_split: bool


def find_equal(
    digests: Sequence[str], labels: np.ndarray, splits: np.ndarray
) -> list[Pair]:
    """Returns each file that has an equal one before it, with that one.

    Of several before it, one with another label is taken, or else one in
    another split.

    Args:
        digests: Hash of each file.
        labels, splits: Its class and its split, ints (N,).
    """
    _, numbers, counts = np.unique(
        np.array(digests, "S"), return_inverse=True, return_counts=True
    )
    pairs, earlier = [], defaultdict(dict)  # first row by (label, split)
    for row in np.flatnonzero(counts[numbers] > 1).tolist():
        number = int(numbers[row])
        key = (int(labels[row]), int(splits[row]))
        if earlier[number]:
            pairs.append(_most_different(row, key, earlier[number]))
        earlier[number].setdefault(key, row)
    return pairs


def _most_different(row, key, others):
    """Returns the `Pair` of `row` with one of rows by (label, split)."""
    other = min(others, key=lambda x: (x[0] == key[0], x[1] == key[1]))
    return Pair(row, others[other], other[0] == key[0], other[1] == key[1])


def find_similar(
    hashes: Sequence[int | None],
    labels: np.ndarray,
    splits: np.ndarray,
    progress: Callable[[float], None] | None = None,
) -> list[Pair]:
    """Returns photos that look like one of another label or split.

    Photos are similar if their hashes differ in at most eight bits. Those with
    the same label and split are left out: people take series.

    Args:
        hashes: Of `appearance.Appearance`, one for each photo.
        labels, splits: As in `find_equal`.
        progress: Called with the share that is done, in (0, 1].
    """
    rows = np.flatnonzero([number is not None for number in hashes])
    distinct, places = _distinct(x for x in hashes if x is not None)
    kinds = _kinds(places, labels[rows], splits[rows])
    near = defaultdict(list)  # places of other hashes
    for one, other in near_pairs(distinct, kinds, progress).tolist():
        near[one].append(other)
        near[other].append(one)
    # The others look like photos of their own label and split only.
    has_others = kinds == _SEVERAL
    has_others[list(near)] = True
    chosen = np.flatnonzero(has_others[places])
    pairs, earlier = [], defaultdict(dict)  # by place: row by (label, split)
    for row, place in zip(
        rows[chosen].tolist(), places[chosen].tolist(), strict=True
    ):
        key = (int(labels[row]), int(splits[row]))
        others = {}
        for x in (place, *near.get(place, ())):
            others = earlier[x] | others
        if others:
            pair = _most_different(row, key, others)
            if not (pair.same_label and pair.same_split):
                pairs.append(pair)
        earlier[place].setdefault(key, row)
    return pairs


def as_octets(hashes: Iterable[int]) -> np.ndarray:
    """Returns numbers of 128 bits as bytes, uint8 (N, 16)."""
    octets = b"".join(number.to_bytes(_OCTETS, "big") for number in hashes)
    return np.frombuffer(octets, "uint8").reshape(-1, _OCTETS)


def _distinct(hashes):
    """Returns distinct hashes in the order of their first photos, as octets.

    And the place among them of each photo's, ints (N,).
    """
    octets = as_octets(hashes)
    _, first, inverse = np.unique(
        octets.view(f"S{_OCTETS}").ravel(),
        return_index=True,
        return_inverse=True,
    )
    places = np.empty(len(first), "int64")
    places[np.argsort(first)] = np.arange(len(first))
    return octets[np.sort(first)], places[inverse]


def _kinds(places, labels, splits):
    """Returns label and split of each place as one number, or `_SEVERAL`."""
    of_photos = labels.astype("int64") * (splits.max(initial=0) + 1) + splits
    kinds = np.zeros(places.max(initial=-1) + 1, "int64")
    kinds[places] = of_photos
    kinds[places[kinds[places] != of_photos]] = _SEVERAL
    return kinds


def near_pairs(
    octets: np.ndarray,
    kinds: np.ndarray,
    progress: Callable[[float], None] | None = None,
) -> np.ndarray:
    """Returns pairs of hashes that differ in at most eight bits, as places.

    Pairs of one kind are left out. Where very many are equal in most bits, as
    those of small things on black are, others may be, too: of each hash some
    are found. So a million hashes take not much more time than a hundred times
    ten thousand.

    Args:
        octets: Distinct hashes, as of `as_octets`.
        kinds: Ints (N,); -1 differs from itself as well.
        progress: As in `find_similar`.

    Returns:
        Ints (P, 2), ascending, the smaller place first.
    """
    bits = np.unpackbits(octets, axis=1)
    # Each part gets its share of the bits that tell photos apart.
    by_spread = np.argsort(_variances(bits)) if len(bits) else np.arange(128)
    parts = [
        _numbers(bits[:, by_spread[first::_PARTS]]) for first in range(_PARTS)
    ]
    halves = _numbers(bits[:, :62])  # neighbours in order are alike
    del bits
    words = octets.view("uint16")
    found = np.empty(0, "int64")
    partners = np.zeros(len(octets), "int64")
    combinations = list(itertools.combinations(parts, 2))
    for number, (one, other) in enumerate(combinations, 1):
        keys = one << 13 | other
        order = np.lexsort([halves, keys])
        keys = keys[order]
        starts, new = np.arange(len(keys)), []
        for shift in range(1, _COMPARED):
            starts = starts[starts + shift < len(keys)]
            starts = starts[keys[starts] == keys[starts + shift]]
            if not len(starts):
                break
            ends = np.sort([order[starts], order[starts + shift]], axis=0)
            wanted = (kinds[ends[0]] != kinds[ends[1]]) | (
                kinds[ends[0]] == _SEVERAL
            )
            wanted &= partners[ends].min(axis=0) < _MOST_PARTNERS
            ends = ends[:, wanted]
            differ = _BITS_SET[words[ends[0]] ^ words[ends[1]]].sum(axis=1)
            ends = ends[:, differ <= _NEAR]
            np.add.at(partners, ends.ravel(), 1)
            new.append(ends[0] * len(octets) + ends[1])
        found = np.unique(np.concatenate([found, *new]))
        partners = np.bincount(
            np.ravel(np.divmod(found, max(1, len(octets)))),
            minlength=len(octets),
        )
        if progress is not None:
            progress(number / len(combinations))
    return np.stack(np.divmod(found, max(1, len(octets))), axis=1)


def _variances(bits):
    """Returns the variance of each column, float64 (128,)."""
    some = range(0, bits.shape[1], _COLUMNS)
    return np.concatenate(
        [bits[:, first : first + _COLUMNS].var(axis=0) for first in some]
    )


def _numbers(bits):
    """Returns rows of bits as ints, (N,)."""
    numbers = np.zeros(len(bits), "int64")
    for place, column in enumerate(bits.T):
        numbers |= column.astype("int64") << place
    return numbers
