"""What was found in photos, in words and tables."""

import os
from collections.abc import Sequence

from thaw.data.files import common_folder, describe_passed_over, shown
from thaw.data.inspection_cache import Contents
from thaw.data.photos import PhotoIndex
from thaw.data.quality import Doubt

_SHOWN = 10  # bad photos named in a message
_CLASSES_SHOWN = 20
_UNEVEN = 3  # times as many photos as in the smallest class


def describe_counts(sides: Sequence[PhotoIndex]) -> str:
    """Returns lines on how many photos of each class there are, by side."""
    lines = []
    for use, photos in zip(("Training", "Validation"), sides, strict=False):
        counts = [f"{n} {name}" for name, n in photos.counts().items()]
        if len(counts) > _CLASSES_SHOWN:
            more = len(counts) - _CLASSES_SHOWN
            counts[_CLASSES_SHOWN:] = [f"and {more} classes more"]
        lines.append(f"{use} photos: {len(photos)} ({', '.join(counts)})")
        if photos.passed_over:
            others = describe_passed_over(photos.passed_over)
            lines.append(f"  passed over: {others}")
    return "\n".join(lines)


def bad_photos(checked: Contents) -> list[tuple[str, str]]:
    """Returns path and reason of each photo that cannot be used."""
    return [
        (path, look.reason)
        for path, look in zip(checked.paths, checked.found, strict=True)
        if look.reason is not None
    ]


def describe_bad(checked: Contents) -> str:
    """Returns the list of the photos that cannot be used, and why."""
    bad = bad_photos(checked)
    lines = [f"  {shown(path)}: {shown(why)}" for path, why in bad[:_SHOWN]]
    if len(bad) > _SHOWN:
        lines.append(f"  and {len(bad) - _SHOWN} more")
    return (
        f"{len(bad)} of {len(checked.paths)} photos cannot be used:\n"
        + "\n".join(lines)
    )


def summary_table(
    bad: Sequence[tuple[str, str]],
    doubts: Sequence[Doubt],
    paths: Sequence[str],
) -> list[tuple[str, str, str]]:
    """Returns the kinds of findings: a header, then one row for each.

    Args:
        bad: Path and reason of each photo that cannot be used.
        doubts: What is odd about others.
        paths: Paths of all photos; examples are shown from the folder on
            that they are in.

    Returns:
        (number, what, first example), the header alone if nothing was found.
    """
    root = common_folder(paths)
    findings = [
        (f"cannot be used: {reason.split(' (')[0]}", _short(path, root))
        for path, reason in bad
    ]
    for doubt in doubts:
        example = _short(doubt.path, root)
        if doubt.other is not None:
            example += f" and {_short(doubt.other, root)}"
        if doubt.detail:
            example += f" ({doubt.detail})"
        findings.append((doubt.kind, example))
    rows = {}
    for kind, example in findings:
        number, first = rows.get(kind, (0, example))
        rows[kind] = (number + 1, first)
    return [
        ("photos", "what", f"e.g., in {shown(root)}"),
        *((f"{n:>6,}", kind, first) for kind, (n, first) in rows.items()),
    ]


def describe_balance(photos: PhotoIndex) -> str | None:
    """Returns a line on classes of very different sizes, or None."""
    counts = photos.counts()
    smallest = min(counts, key=counts.get)
    largest = max(counts, key=counts.get)
    if not 0 < _UNEVEN * counts[smallest] <= counts[largest]:
        return None
    return (
        f"Classes are uneven: {counts[largest]} {largest}, "
        f"{counts[smallest]} {smallest}. Give each the same weight with "
        "--class_weights=balanced, or find more photos."
    )


def _short(path, root):
    return shown(os.path.relpath(path, root))
