"""Quality issues of photos that can be used: duplicates, odd formats, ..."""

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from thaw.data import bit_depth, duplicates
from thaw.data.appearance import FLAT
from thaw.data.photos import Photos
from thaw.data.pixels import EXTENSIONS
from thaw.pixel_range import EIGHT_BITS, PixelRange
from thaw.progress import Progress

_SMALL = 32  # pixels of the shorter side
_LONG = 10  # times the shorter side

# By (kind of pair, same label, same split), the worst first.
_OF_PAIRS = {
    ("equal", False, True): "duplicates with two labels",
    ("equal", False, False): "duplicates with two labels",
    ("similar", False, True): "look the same, two labels",
    ("similar", False, False): "look the same, two labels",
    ("equal", True, False): "duplicates of training photos (moved to the "
    "training set)",
    ("similar", True, False): "look the same as training photos (kept)",
    ("equal", True, True): "duplicates in one class",
}
_NAMED = "format differs from the file extension"
_TINY = f"under {_SMALL} pixels (most are larger)"
_THIN = f"over {_LONG} times as long as wide"
_ANIMATED = "animated (the first frame is used)"
_BLANK = "all of one colour"
_DIM = "under an eighth of the pixel range (others reach it)"
_GREY = "grey (most are in colour)"
KINDS = (
    *dict.fromkeys(_OF_PAIRS.values()),
    _NAMED,
    _TINY,
    _THIN,
    _ANIMATED,
    _BLANK,
    _DIM,
    _GREY,
)


class QualityIssue(NamedTuple):
    """A photo that can be used, and why it deserves a look.

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


def find_issues(splits: Sequence[Photos]) -> list[QualityIssue]:
    """Returns the quality issues, in the order of `KINDS`.

    Args:
        splits: Inspected photos to train and, if there are any, to validate
            on; all of them can be used.
    """
    issues = _pair_issues(splits)
    found = [x for photos in splits for x in photos.inspections]
    paths = [path for photos in splits for path in photos.paths]
    ranges = splits[0].pixel_ranges
    blank = [_is_blank(x, ranges) for x in found]
    # Where most are so, as in MNIST, that is how they should be.
    tiny, grey = (
        few if 2 * sum(few) < len(few) else [False] * len(few)
        for few in (
            [min(x.width, x.height) < _SMALL for x in found],
            [x.grey and not y for x, y in zip(found, blank, strict=True)],
        )
    )
    for path, x, is_blank, is_tiny, is_grey in zip(
        paths, found, blank, tiny, grey, strict=True
    ):
        size = f"{x.width} x {x.height}"
        is_thin = max(x.width, x.height) > _LONG * min(x.width, x.height)
        expected = EXTENSIONS.get(os.path.splitext(path)[1].lower())
        issues += [
            QualityIssue(kind, path, detail)
            for kind, is_odd, detail in (
                (_NAMED, expected != x.format, x.format),
                (_TINY, is_tiny, size),
                (_THIN, is_thin, size),
                (_ANIMATED, x.animated, x.format),
                (_BLANK, is_blank, ""),
                (_DIM, _is_dim(x, ranges) and not is_blank, ""),
                (_GREY, is_grey, size),
            )
            if is_odd
        ]
    return sorted(issues, key=lambda issue: KINDS.index(issue.kind))


def _is_blank(inspection, ranges):
    """Returns whether a photo, scaled, is all of one colour."""
    if inspection.spread is None:
        return False
    if inspection.samples not in (EIGHT_BITS, *ranges):  # none was found
        return inspection.spread == 0
    pixel_range = ranges.get(inspection.samples, PixelRange(0, 255))
    return inspection.spread * 255 < FLAT * pixel_range.width


def _is_dim(inspection, ranges):
    return (
        inspection.samples != EIGHT_BITS
        and inspection.samples in ranges
        and bit_depth.is_dim(inspection, ranges[inspection.samples])
    )


def _pair_issues(splits):
    paths = [path for photos in splits for path in photos.paths]
    inspections = [x for photos in splits for x in photos.inspections]
    labels = np.concatenate([photos.labels for photos in splits])
    numbers = np.repeat(range(len(splits)), [len(photos) for photos in splits])
    names = splits[0].class_names
    equal = duplicates.find_equal(
        [x.digest for x in inspections], labels, numbers
    )
    known = {pair.row for pair in equal}
    hashes = [
        None if row in known else inspection.perceptual_hash
        for row, inspection in enumerate(inspections)
    ]
    progress = Progress(len(paths), "compared")
    progress(0)  # the next is many photos later
    similar = duplicates.find_similar(
        hashes,
        labels,
        numbers,
        lambda share: progress(round(share * len(paths))),
    )
    progress.clear()
    issues = []
    for what, pairs in (("equal", equal), ("similar", similar)):
        for row, other, same_label, same_split in pairs:
            kind = _OF_PAIRS[what, same_label, same_split]
            detail = (
                ""
                if same_label
                else f"{names[labels[row]]}, {names[labels[other]]}"
            )
            issues.append(QualityIssue(kind, paths[row], detail, paths[other]))
    return issues
