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

_NEAR = 3  # bits of 64
# Of five parts, at least two are equal where three bits differ.
_PARTS = [0x1FFF << 13 * part for part in range(4)] + [0xFFF << 52]

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

    Photos look alike if their hashes differ in at most three bits. Those with
    the same label and side are left out: people take series.

    Args:
        hashes: Of `pixels.Look`, one for each photo.
        labels, sides: As in `find_copies`.
    """
    rows = [row for row, number in enumerate(hashes) if number is not None]
    distinct, numbers = np.unique(
        np.array([hashes[row] for row in rows], "uint64"), return_inverse=True
    )
    near = defaultdict(list)  # numbers of other hashes
    for one, other in near_pairs(distinct):
        near[one].append(other)
        near[other].append(one)
    pairs, earlier = [], defaultdict(dict)  # by number: row by (label, side)
    for row, number in zip(rows, numbers.tolist(), strict=True):
        key = (int(labels[row]), int(sides[row]))
        others = {}
        for x in (number, *near[number]):
            others = earlier[x] | others
        if others:
            pair = _most_different(row, key, others)
            if not (pair.same_label and pair.same_side):
                pairs.append(pair)
        earlier[number].setdefault(key, row)
    return pairs


def near_pairs(hashes: np.ndarray) -> list[tuple[int, int]]:
    """Returns which hashes differ in at most three bits, pairs of places.

    Args:
        hashes: Distinct, uint64 (N,).
    """
    found = set()
    for parts in itertools.combinations(_PARTS, 2):
        keys = hashes & np.uint64(sum(parts))
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        starts = np.arange(len(keys))
        for shift in itertools.count(1):
            starts = starts[starts + shift < len(keys)]
            starts = starts[keys[starts] == keys[starts + shift]]
            if not len(starts):
                break
            ones, others = order[starts], order[starts + shift]
            near = _bits(hashes[ones] ^ hashes[others]) <= _NEAR
            ends = np.sort([ones[near], others[near]], axis=0).T
            found.update(map(tuple, ends.tolist()))
    return sorted(found)


def _bits(numbers):
    """Returns how many bits are set in each uint64, (N,)."""
    octets = numbers.view("uint8").reshape(-1, 8)
    return np.unpackbits(octets, axis=1).sum(axis=1)
