"""What is odd about photos that can be used."""

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from thaw.data import duplicates
from thaw.data.pixels import EXTENSIONS
from thaw.data.splits import Side

_SMALL = 32  # pixels of the shorter side
_LONG = 10  # times the shorter side

# By (kind of pair, same label, same side), the worst first.
_OF_PAIRS = {
    ("copy", False, True): "copies with two labels",
    ("copy", False, False): "copies with two labels",
    ("like", False, True): "look the same, two labels",
    ("like", False, False): "look the same, two labels",
    ("copy", True, False): "copies of training photos; they train, too",
    ("like", True, False): "look the same as training photos, and stay",
    ("copy", True, True): "copies in one class",
}
_NAMED = "another format than the name says"
_TINY = f"under {_SMALL} pixels, most are larger"
_THIN = f"over {_LONG} times as long as wide"
_ANIMATED = "animated; the first picture is taken"
_BLANK = "all of one colour"
_GREY = "grey, most are in colour"
KINDS = (
    *dict.fromkeys(_OF_PAIRS.values()),
    _NAMED,
    _TINY,
    _THIN,
    _ANIMATED,
    _BLANK,
    _GREY,
)


class Doubt(NamedTuple):
    """A photo that can be used, and why one should look at it.

    Attributes:
        kind: One of `KINDS`.
        path: Path of the photo.
        detail: E.g. its size, may be empty.
        other: Path of the photo that it is a copy of, or looks like, or None.
    """

    kind: str
    path: str
    detail: str = ""
    other: str | None = None


def find_doubts(sides: Sequence[Side]) -> list[Doubt]:
    """Returns what is odd, by kind, in the order of `KINDS`.

    Args:
        sides: Photos and their contents, to train and, if there are, to
            validate on; all of them can be used.
    """
    doubts = _doubts_of_pairs(sides)
    looks = [look for _, contents in sides for look in contents.found]
    paths = [path for photos, _ in sides for path in photos.paths]
    small = np.array([min(x.width, x.height) < _SMALL for x in looks], bool)
    grey = np.array([look.grey and not look.blank for look in looks], bool)
    for kind, odd in ((_TINY, small), (_GREY, grey)):
        # Where most are so, as in MNIST, that is how they should be.
        if 2 * odd.sum() < len(odd):
            doubts += [
                Doubt(kind, paths[row], _size(looks[row]))
                for row in np.flatnonzero(odd)
            ]
    for path, look in zip(paths, looks, strict=True):
        if EXTENSIONS.get(os.path.splitext(path)[1].lower()) != look.format:
            doubts.append(Doubt(_NAMED, path, look.format))
        sizes = sorted((look.width, look.height))
        if sizes[1] > _LONG * sizes[0]:
            doubts.append(Doubt(_THIN, path, _size(look)))
        if look.animated:
            doubts.append(Doubt(_ANIMATED, path, look.format))
        if look.blank:
            doubts.append(Doubt(_BLANK, path))
    return sorted(doubts, key=lambda doubt: KINDS.index(doubt.kind))


def _size(look):
    return f"{look.width} x {look.height}"


def _doubts_of_pairs(sides):
    photos = [path for some, _ in sides for path in some.paths]
    looks = [look for _, contents in sides for look in contents.found]
    labels = np.concatenate([some.labels for some, _ in sides])
    numbers = np.repeat(range(len(sides)), [len(some) for some, _ in sides])
    names = sides[0][0].class_names
    digests = [look.digest for look in looks]
    copies = duplicates.find_copies(digests, labels, numbers)
    known = {pair.row for pair in copies}
    hashes = [
        None if row in known else look.look_hash
        for row, look in enumerate(looks)
    ]
    alike = duplicates.find_look_alikes(hashes, labels, numbers)
    doubts = []
    for what, pairs in (("copy", copies), ("like", alike)):
        for row, other, same_label, same_side in pairs:
            kind = _OF_PAIRS[what, same_label, same_side]
            detail = (
                ""
                if same_label
                else f"{names[labels[row]]}, {names[labels[other]]}"
            )
            doubts.append(Doubt(kind, photos[row], detail, photos[other]))
    return doubts
