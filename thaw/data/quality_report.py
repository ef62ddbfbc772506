"""Counts, bad photos and quality issues in words and tables."""

import os
from collections.abc import Sequence

from thaw.data.files import common_folder, describe_skipped
from thaw.data.photos import Photos
from thaw.data.quality import QualityIssue
from thaw.errors import list_some, shown
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
        counts = [f"{n:,} {name}" for name, n in photos.counts().items()]
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
    for kind, *photo in (
        *((f"cannot be used: {why.split(' (')[0]}", path) for path, why in bad),
        *((x.kind, x.path, x.detail, x.other) for x in issues),
    ):
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


def describe_balance(photos: Photos) -> str | None:
    """Returns a line on classes of very different sizes, or None."""
    counts = photos.counts()
    smallest = min(counts, key=counts.get, default=None)
    largest = max(counts, key=counts.get, default=None)
    if not counts or not (0 < _UNEVEN * counts[smallest] <= counts[largest]):
        return None
    return (
        f"Classes are uneven: {counts[largest]:,} {largest}, "
        f"{counts[smallest]:,} {smallest}. Give each the same weight with "
        "`class_weights=balanced`, or find more photos."
    )
