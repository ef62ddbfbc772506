"""Groups that names of photos suggest, such as patient012_slice3.png."""

import os
import re
from collections import defaultdict

from thaw.data.photos import Photos
from thaw.errors import shown

_FEWEST_GROUPS = 5
_FEWEST_PHOTOS = 2  # of a group, on average
# A day is no group; a second may be.
_DATE = re.compile(r"(19|20)\d\d[-_.]?[01]\d[-_.]?[0-3]\d")


def describe_suggested_groups(train: Photos, validation: Photos) -> str | None:
    r"""Returns a line on groups that names suggest, if any are in both splits.

    All names end in a number behind one separator, what is before it holds a
    number of its own, and classes have several of these: `patient012_slice3`.
    Plain numbering (`cat.1`, `IMG_0001`, `dog (12)`), dates, and numbers of
    classes (`n01440764_10026`) are none.

    Args:
        train, validation: Photos without groups.
    """
    names = [
        [os.path.basename(path) for path in photos.paths]
        for photos in (train, validation)
    ]
    if len({*names[0], *names[1]}) < len(train) + len(validation):
        return None  # numbered by folder
    for separator in "_- .":
        mark = r"\." if separator == "." else separator
        regex = rf"([^/]+){mark}[A-Za-z]*\d{{1,6}}\.\w+$"
        found = [[re.search(regex, x) for x in some] for some in names]
        if not all(map(all, found)):
            continue
        of_train, of_validation = ([x[1] for x in some] for some in found)
        labels = [*train.labels.tolist(), *validation.labels.tolist()]
        groups = [*of_train, *of_validation]
        shared = set(of_train) & set(of_validation)
        if shared and _are_groups(groups, labels):
            example = next(x for x in of_train if x in shared)
            return (
                f"Names suggest {len(set(groups)):,} groups, e.g. "
                f"{shown(example + separator)}*, {len(shared):,} of them in "
                "both splits. If so, keep each in one: "
                f"`group_regex='{regex}'`"
            )
    return None


def _are_groups(groups, labels):
    """Returns whether the beginnings of names look like groups."""
    distinct = set(groups)
    of_class = defaultdict(set)
    for group, label in zip(groups, labels, strict=True):
        of_class[label].add(group)
    return (
        len(distinct) >= _FEWEST_GROUPS
        and len(groups) >= _FEWEST_PHOTOS * len(distinct)
        and all(re.search(r"\d", _DATE.sub("", group)) for group in distinct)
        and min(map(len, of_class.values())) > 1
    )
