"""Classes with too few photos, or groups, for training and validation."""

from collections.abc import Sequence

import numpy as np

from thaw.data.groups import group_numbers
from thaw.data.photos import Photos
from thaw.errors import UserError, list_some
from thaw.progress import say


def settle_rare_classes(
    usable: Sequence[Photos], rare_classes: str
) -> Sequence[Photos]:
    """Returns the photos without the classes that can't be used.

    To be split, a class takes two photos or, where there are groups, photos of
    two groups; where photos are split already, one to train on.

    Args:
        usable: Photos to be split, or those of both splits.
        rare_classes: What becomes of a class with less. `stop`: a `UserError`
            names all; `train`: with one photo or group, it only trains;
            `drop`: it is left out, and said.

    Raises:
        UserError: If classes have too few photos, or fewer than two are left.
    """
    train = usable[0]
    counts = _count_units(train)
    is_rare = counts < (2 if len(usable) == 1 else 1)
    if rare_classes == "train":
        is_rare = counts < 1
    if not is_rare.any():
        return usable
    if rare_classes != "drop":
        raise UserError(_describe(train, counts, is_rare, len(usable) == 1))
    names = train.class_names
    kept = [x for x, rare in zip(names, is_rare, strict=True) if not rare]
    if len(kept) < 2:
        raise UserError(
            f"`rare_classes=drop` leaves {len(kept)} of {len(names):,} "
            "classes; a classifier needs at least two. Add photos."
        )
    left = [
        photos.take(np.flatnonzero(~is_rare[photos.labels]))
        for photos in usable
    ]
    total = sum(map(len, usable))
    say(
        f"`rare_classes=drop`: left out {is_rare.sum():,} of {len(names):,} "
        f"classes, {total - sum(map(len, left)):,} of {total:,} photos: "
        f"{_list(names, is_rare)}"
    )
    return [photos.with_class_names(kept) for photos in left]


def _count_units(photos):
    """Returns how many photos, or groups, each class has, (C,)."""
    labels, groups = photos.labels, group_numbers(photos)
    if groups is not None:
        _, labels = np.unique(np.stack([groups, labels]), axis=1)
    return np.bincount(labels, minlength=len(photos.class_names))


def _describe(train, counts, is_rare, to_be_split):
    """Returns the message on all rare classes."""
    names, has_none = train.class_names, counts == 0
    kind = "photo" if to_be_split else "training photo"
    facts, ways_out = [], ["leave such classes out: `rare_classes=drop`"]
    if has_none.any():
        facts.append(f"No {kind} of {_list(names, has_none)} can be used.")
    if (is_rare & ~has_none).any():
        what = "photos of one group only" if train.groups else "one photo only"
        facts.append(
            f"Classes with {what}: {(counts == 1).sum():,} of {len(names):,} "
            f"({_list(names, counts == 1)})."
        )
        ways_out.append("only train on them: `rare_classes=train`")
    if to_be_split:
        unit = "groups" if train.groups else "photos"
        facts.append(
            f"Expected at least two {unit} of each class, to train and to "
            "validate on."
        )
    return " ".join([*facts, f"Add some, or {', or '.join(ways_out)}"])


def _list(names, wanted):
    return list_some([names[label] for label in np.flatnonzero(wanted)])
