"""Groups that names of photos suggest, such as patient012_slice3.png."""

import os
import re
from collections import Counter, defaultdict

from thaw.data.photos import Photos
from thaw.errors import shown

_FEWEST_GROUPS = 5
_REGEX = r"([^/]+)[-_. ][A-Za-z]*\d{1,6}\.\w+$"
# A day is no group; a second may be.
_DATE = re.compile(r"(19|20)\d\d[-_.]?[01]\d[-_.]?[0-3]\d")


def describe_suggested_groups(train: Photos, validation: Photos) -> str | None:
    """Returns a line on groups that names suggest, if any are in both splits.

    All names end in a number, what is before it holds a number of its own, and
    most photos share that with others of their class, but not with all:
    `patient012_slice3`. Plain numbering (`cat.1`, `IMG_0001`, `dog (12)`),
    dates, and numbers of classes (`n01440764_10026`) are none.

    Args:
        train, validation: Photos without groups.
    """
    photos = train + validation
    names = [os.path.basename(path) for path in photos.paths]
    groups = []
    for name in names:
        found = re.search(_REGEX, name)
        if found is None:
            return None
        groups.append(found[1])
    # Of photos that are numbered by folder, names occur more than once.
    if len(set(names)) < len(names):
        return None
    shared = {*groups[: len(train)]} & {*groups[len(train) :]}
    if not shared or not _are_groups(groups, photos.labels.tolist()):
        return None
    row = next(row for row, group in enumerate(groups) if group in shared)
    example = names[row][: len(groups[row]) + 1]
    return (
        f"Names suggest {len(set(groups)):,} groups, e.g. {shown(example)}*, "
        f"{len(shared):,} of them in both splits. If so, keep each in one: "
        f"`group_regex='{_REGEX}'`"
    )


def _are_groups(groups, labels):
    """Returns whether the beginnings of names look like groups."""
    sizes = Counter(groups)
    of_class = defaultdict(set)
    for group, label in zip(groups, labels, strict=True):
        of_class[label].add(group)
    return (
        len(sizes) >= _FEWEST_GROUPS
        and 2 * sum(n for n in sizes.values() if n > 1) >= len(groups)
        and all(re.search(r"\d", _DATE.sub("", group)) for group in sizes)
        and min(map(len, of_class.values())) > 1
    )
