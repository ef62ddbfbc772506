"""Counts, bad photos and quality issues in words and tables."""

import os
from collections.abc import Mapping, Sequence

from thaw.data import bit_depth, class_names
from thaw.data.files import common_folder, describe_skipped
from thaw.data.groups import rows_of_shared_groups
from thaw.data.photos import Photos
from thaw.data.quality import QualityIssue
from thaw.errors import list_some, shown
from thaw.pixel_range import EIGHT_BITS, PixelRange
from thaw.tables import format_table

_SHOWN = 10  # bad photos named in a message
_CLASSES_SHOWN = 20
_UNEVEN = 3  # times as many photos as in the smallest class


def describe_counts(splits: Sequence[Photos]) -> str:
    """Returns lines on how many photos of each class each split has."""
    if not splits[0].class_names:
        return f"{len(splits[0]):,} photos, in no classes"
    lines, skipped = [], None
    for use, photos in zip(("Training", "Validation"), splits, strict=False):
        counts = [f"{n:,} {name}" for name, n in photos.counts().items() if n]
        if len(counts) > _CLASSES_SHOWN:
            more = len(counts) - _CLASSES_SHOWN
            counts[_CLASSES_SHOWN:] = [f"and {more} classes more"]
        lines.append(f"{use} photos: {len(photos):,} ({', '.join(counts)})")
        if photos.skipped and photos.skipped is not skipped:
            skipped = photos.skipped  # of both, where they were split
            lines.append(f"  skipped: {describe_skipped(skipped)}")
        lacking = [name for name, n in photos.counts().items() if not n]
        if lacking:
            lines.append(f"  none of {list_some(lacking)}")
    return "\n".join(lines)


def describe_groups(train: Photos, validation: Photos) -> str:
    """Returns a line on the number of groups in each split, and in both.

    Args:
        train, validation: Photos with groups.
    """
    of_train, of_validation = set(train.groups), set(validation.groups)
    rows = rows_of_shared_groups(train, validation)
    if not len(rows):
        return (
            f"Split by group: {len(of_train):,} groups train, "
            f"{len(of_validation):,} validate"
        )
    shared, every = of_train & of_validation, of_train | of_validation
    first = train.groups.index(validation.groups[rows[0]])
    root = common_folder([*train.paths, *validation.paths])
    pair = _describe_example(
        root, validation.paths[rows[0]], other=train.paths[first]
    )
    return (
        f"{len(shared):,} of {len(every):,} groups are in both splits "
        f"({len(rows):,} of {len(validation):,} validation photos), e.g. "
        f"{pair}: validation accuracy may be too high"
    )


def describe_ranges(
    photos: Photos, ranges: Mapping[str, PixelRange], given: bool
) -> str:
    """Returns lines on what becomes black and white, or "".

    Args:
        photos: Photos that can be used, inspected.
        ranges: Of `bit_depth.choose_ranges`.
        given: Whether it was given.
    """
    lines = [f"Pixel range {ranges[EIGHT_BITS]}, as given"] if given else []
    for kind, pixel_range in ranges.items() if not given else ():
        rows = bit_depth.rows_of_kind(photos, kind)
        if kind == EIGHT_BITS:
            lines.append(
                f"Pixel range {pixel_range}: that of the model, for "
                f"{len(rows):,} photos of 8 bits"
            )
            continue
        found = [photos.inspections[row] for row in rows]
        lowest = min(x.lowest for x in found)
        highest = max(x.highest for x in found)
        lines.append(
            f"Pixel range {pixel_range} "
            f"({bit_depth.name_range(kind, pixel_range)}): the values of "
            f"{len(rows):,} photos go from {lowest:,.6g} to {highest:,.6g}"
        )
    outside = find_outside(photos, ranges)
    if outside:
        lines.append(describe_outside(outside, len(photos)))
    return "\n".join(lines)


def find_outside(photos: Photos, ranges: Mapping[str, PixelRange]) -> list[str]:
    """Returns the paths of photos with values outside of their range.

    Of photos of 8 bits the values aren't known.
    """
    return [
        path
        for path, x in zip(photos.paths, photos.inspections, strict=True)
        if x.reason is None
        and x.lowest is not None
        and x.samples in ranges
        and not ranges[x.samples].holds(x.lowest, x.highest)
    ]


def describe_outside(paths: Sequence[str], total: int) -> str:
    """Returns a line on the photos of `find_outside`, of so many."""
    return (
        f"{len(paths):,} of {total:,} photos have values outside of the pixel "
        f"range, which are clipped, e.g. {shown(paths[0])}"
    )


def describe_bad(bad: Sequence[tuple[str, str]], total: int) -> str:
    """Returns a list of the photos that cannot be used, and why.

    Args:
        bad: Of `Photos.bad`.
        total: Number of all photos.
    """
    lines = [f"{len(bad):,} of {total:,} photos cannot be used:"]
    lines += [f"  {shown(path)}: {shown(why)}" for path, why in bad[:_SHOWN]]
    if len(bad) > _SHOWN:
        lines.append(f"  and {len(bad) - _SHOWN:,} more")
    return "\n".join(lines)


def describe_issues(
    bad: Sequence[tuple[str, str]],
    issues: Sequence[QualityIssue],
    paths: Sequence[str],
) -> str:
    """Returns a table of the kinds of bad photos and issues, or "".

    Args:
        bad: Path and reason of each photo that cannot be used.
        issues: Quality issues of others.
        paths: Paths of all photos; the folder that they are all in is left
            out of examples.
    """
    if not bad and not issues:
        return ""
    root = common_folder(paths)
    counts, examples = {}, {}
    problems: list[tuple] = [
        *((f"cannot be used: {why.split(' (')[0]}", path) for path, why in bad),
        *issues,
    ]
    for kind, *photo in problems:
        counts[kind] = counts.get(kind, 0) + 1
        examples.setdefault(kind, photo)
    return format_table(
        [
            ("photos", "what", f"e.g., in {shown(root)}"),
            *(
                (f"{n:>6,}", kind, _describe_example(root, *examples[kind]))
                for kind, n in counts.items()
            ),
        ]
    )


def _describe_example(root, path, detail="", other=None):
    names = [shown(os.path.relpath(x, root)) for x in (path, other) if x]
    return " and ".join(names) + (f" ({detail})" if detail else "")


def describe_similar(photos: Photos) -> str | None:
    """Returns lines on classes that may be meant as one, or None."""
    lines = class_names.describe_similar(photos.counts())
    if not lines:
        return None
    more = len(lines) - _SHOWN
    if more > 0:
        lines[_SHOWN:] = [f"and {more:,} more"]
    return "\n".join([*lines, "If they are one class, give it one name."])


def describe_balance(photos: Photos) -> str | None:
    """Returns a line on classes of very different sizes, or None."""
    counts = photos.counts()
    smallest = min(counts, key=lambda x: counts[x], default="")
    largest = max(counts, key=lambda x: counts[x], default="")
    if not counts or not (0 < _UNEVEN * counts[smallest] <= counts[largest]):
        return None
    return (
        f"Classes are uneven: {counts[largest]:,} {largest}, "
        f"{counts[smallest]:,} {smallest}. Give each the same weight with "
        "`class_weights=balanced`, or find more photos."
    )
