"""Duplicates: equal files, and photos that look the same."""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

# Bits of 128. Of 300 photos of cats and dogs, 98% or more at a quarter of the
# size, in other light, or strongly compressed were within 8 of themselves; of
# all pairs of 3,000 photos, none that do not look the same within 23.
_NEAR = 8
_PARTS = 10  # of a hash; at least two are equal where eight bits differ
_BITS_SET = np.array([x.bit_count() for x in range(1 << 16)], "uint8")
_MOST_PARTNERS = 8  # of a hash that others already have
_COMPARED = 100  # hashes after each in the order of two parts


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
    pairs, earlier = [], defaultdict(dict)  # first row by (label, split)
    for row, digest in enumerate(digests):
        key = (int(labels[row]), int(splits[row]))
        if earlier[digest]:
            pairs.append(_most_different(row, key, earlier[digest]))
        earlier[digest].setdefault(key, row)
    return pairs


def _most_different(row, key, others):
    """Returns the `Pair` of `row` with one of rows by (label, split)."""
    other = min(others, key=lambda x: (x[0] == key[0], x[1] == key[1]))
    return Pair(row, others[other], other[0] == key[0], other[1] == key[1])


def find_similar(
    hashes: Sequence[int | None], labels: np.ndarray, splits: np.ndarray
) -> list[Pair]:
    """Returns photos that look like one of another label or split.

    Photos are similar if their hashes differ in at most eight bits. Those with
    the same label and split are left out: people take series.

    Args:
        hashes: Of `appearance.Appearance`, one for each photo.
        labels, splits: As in `find_equal`.
    """
    rows = [row for row, number in enumerate(hashes) if number is not None]
    distinct: dict[Any, int] = {}
    kinds: list[tuple[int, int] | None] = []  # None: several
    for row in rows:
        kind = (int(labels[row]), int(splits[row]))
        place = distinct.setdefault(hashes[row], len(distinct))
        if place == len(kinds):
            kinds.append(kind)
        elif kinds[place] != kind:
            kinds[place] = None
    numbers = {kind: number for number, kind in enumerate({*kinds, None})}
    near = defaultdict(list)  # places of other hashes
    for one, other in near_pairs(
        list(distinct),
        np.array([numbers[kind] for kind in kinds], "int64"),
        numbers[None],
    ):
        near[one].append(other)
        near[other].append(one)
    pairs, earlier = [], defaultdict(dict)  # by place: row by (label, split)
    for row in rows:
        place = distinct[hashes[row]]
        key = (int(labels[row]), int(splits[row]))
        others = {}
        for x in (place, *near[place]):
            others = earlier[x] | others
        if others:
            pair = _most_different(row, key, others)
            if not (pair.same_label and pair.same_split):
                pairs.append(pair)
        earlier[place].setdefault(key, row)
    return pairs


def near_pairs(
    hashes: Sequence[int], kinds: np.ndarray, several: int = -1
) -> list[tuple[int, int]]:
    """Returns pairs of hashes that differ in at most eight bits, as places.

    Pairs of one kind are left out. Where very many are equal in most bits, as
    those of small things on black are, others may be, too: of each hash some
    are found.

    Args:
        hashes: Distinct numbers of 128 bits.
        kinds: Ints (N,).
        several: The kind that differs from itself as well.
    """
    octets = np.frombuffer(
        b"".join(number.to_bytes(16, "big") for number in hashes), "uint8"
    ).reshape(-1, 16)
    bits = np.unpackbits(octets, axis=1)
    # Each part gets its share of the bits that tell photos apart.
    by_spread = np.argsort(bits.var(axis=0)) if len(bits) else np.arange(128)
    parts = [
        _numbers(bits[:, by_spread[first::_PARTS]]) for first in range(_PARTS)
    ]
    halves = _numbers(bits[:, :62])  # neighbours in order are alike
    words = octets.view("uint16")
    found = np.empty(0, "int64")
    partners = np.zeros(len(octets), "int64")
    for one, other in itertools.combinations(parts, 2):
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
                kinds[ends[0]] == several
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
    ends = np.divmod(found, max(1, len(octets)))
    return list(zip(*(end.tolist() for end in ends), strict=True))


def _numbers(bits):
    """Returns rows of bits as ints, (N,)."""
    return bits @ (1 << np.arange(bits.shape[1]))
