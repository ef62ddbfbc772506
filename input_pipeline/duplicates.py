"""The same photo more than once: copies, and photos that look the same."""

import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from errors import UserError
from input_pipeline.contents import Contents
from input_pipeline.photo_index import PhotoIndex

# Bits of 128. Of 300 photos of cats and dogs, 98% or more at a quarter of the
# size, in other light, or strongly compressed were within 8 of themselves; of
# all pairs of 3,000 photos, none that do not look the same within 23.
_NEAR = 8
_PARTS = 10  # of a hash; at least two are equal where eight bits differ
_COMPARED = 100  # hashes after each in the order of two parts

Side = tuple[PhotoIndex, Contents]


class Pair(NamedTuple):
    """Two rows of the same photo; `same_label`, `same_side`: as it says."""

    row: int
    other: int  # the earlier one
    same_label: bool
    same_side: bool


def separate(train: Side, validation: Side) -> tuple[Side, Side]:
    """Returns both sides without a photo that is in both.

    A model is not validated on what it was trained with, so the copies on the
    validation side train, too. Photos are copies if their files are the same,
    byte for byte; those that only look the same stay.

    Args:
        train, validation: Photos and their contents, of the same classes.

    Raises:
        UserError: If nothing is left to validate on.
    """
    photos, contents = validation
    known = {look.digest for look in train[1].found}
    shared = np.array([x.digest in known for x in contents.found], bool)
    rows, left = np.flatnonzero(shared), np.flatnonzero(~shared)
    if not len(rows):
        return train, validation
    if not len(left):
        raise UserError(
            "All photos to validate on are among those to train on, too. Give "
            "others."
        )
    more = photos.take(rows)
    both = dataclasses.replace(
        train[0],
        paths=train[0].paths + more.paths,
        labels=np.concatenate([train[0].labels, more.labels]),
    )
    train = (both, train[1] + contents.take(rows))
    return train, (photos.take(left), contents.take(left))


def find_copies(
    digests: Sequence[str], labels: np.ndarray, sides: np.ndarray
) -> list[Pair]:
    """Returns each file that has an equal one before it, with that one.

    Of several before it, one with another label is taken, or else one on
    another side.

    Args:
        digests: Hash of each file.
        labels, sides: Its class and its side of the split, ints (N,).
    """
    pairs, earlier = [], defaultdict(dict)  # first row by (label, side)
    for row, digest in enumerate(digests):
        key = (int(labels[row]), int(sides[row]))
        if earlier[digest]:
            pairs.append(_most_different(row, key, earlier[digest]))
        earlier[digest].setdefault(key, row)
    return pairs


def _most_different(row, key, others):
    """Returns the `Pair` of `row` with one of others, rows by (label, side)."""
    other = min(others, key=lambda x: (x[0] == key[0], x[1] == key[1]))
    return Pair(row, others[other], other[0] == key[0], other[1] == key[1])


def find_look_alikes(
    hashes: Sequence[int | None], labels: np.ndarray, sides: np.ndarray
) -> list[Pair]:
    """Returns photos that look like one with another label, or side.

    Photos look alike if their hashes differ in at most eight bits. Those with
    the same label and side are left out: people take series.

    Args:
        hashes: Of `pixels.Look`, one for each photo.
        labels, sides: As in `find_copies`.
    """
    rows = [row for row, number in enumerate(hashes) if number is not None]
    distinct = {}
    for row in rows:
        distinct.setdefault(hashes[row], len(distinct))
    near = defaultdict(list)  # places of other hashes
    for one, other in near_pairs(list(distinct)):
        near[one].append(other)
        near[other].append(one)
    pairs, earlier = [], defaultdict(dict)  # by place: row by (label, side)
    for row in rows:
        place = distinct[hashes[row]]
        key = (int(labels[row]), int(sides[row]))
        others = {}
        for x in (place, *near[place]):
            others = earlier[x] | others
        if others:
            pair = _most_different(row, key, others)
            if not (pair.same_label and pair.same_side):
                pairs.append(pair)
        earlier[place].setdefault(key, row)
    return pairs


def near_pairs(hashes: Sequence[int]) -> list[tuple[int, int]]:
    """Returns which hashes differ in at most eight bits, as pairs of places.

    Where very many are equal in most bits, as those of small things on black
    are, some pairs are left out.

    Args:
        hashes: Distinct numbers of 128 bits.
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
    found = set()
    for one, other in itertools.combinations(parts, 2):
        keys = one << 13 | other
        order = np.lexsort([halves, keys])
        keys = keys[order]
        starts = np.arange(len(keys))
        for shift in range(1, _COMPARED):
            starts = starts[starts + shift < len(keys)]
            starts = starts[keys[starts] == keys[starts + shift]]
            if not len(starts):
                break
            ends = np.sort([order[starts], order[starts + shift]], axis=0)
            differ = np.unpackbits(octets[ends[0]] ^ octets[ends[1]], axis=1)
            near = differ.sum(axis=1) <= _NEAR
            found.update(zip(*ends[:, near].tolist(), strict=True))
    return sorted(found)


def _numbers(bits):
    """Returns rows of bits as ints, (N,)."""
    return bits @ (1 << np.arange(bits.shape[1]))
