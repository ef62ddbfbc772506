"""The two sides of a run, of photos that can be used: to train, to validate."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from thaw.data.inspection_cache import Contents
from thaw.data.photos import PhotoIndex
from thaw.data.split import stratified_rows
from thaw.errors import UserError

Side = tuple[PhotoIndex, Contents]


def usable_sides(
    indices: Sequence[PhotoIndex], checked: Contents
) -> list[Side]:
    """Returns the photos that can be used, and their contents.

    Args:
        indices: Photos of one side, or of both.
        checked: Contents of all of them, in their order.
    """
    usable, start = [], 0
    for photos in indices:
        reasons = [x.reason for x in checked.found[start:][: len(photos)]]
        rows = np.flatnonzero([reason is None for reason in reasons])
        usable.append((photos.take(rows), checked.take(start + rows)))
        start += len(photos)
    return usable


def make_sides(
    usable: Sequence[Side], validation_fraction: float = 0.2, seed: int = 0
) -> tuple[Side, Side]:
    """Returns the photos to train on, and those to validate on.

    Args:
        usable: Both sides, or one, which is split.
        validation_fraction, seed: As in `split.stratified_rows`.

    Raises:
        UserError: If a class has too few photos that can be used.
    """
    if len(usable) == 1:
        ((photos, contents),) = usable
        train, validation = (
            (photos.take(rows), contents.take(rows))
            for rows in stratified_rows(photos, validation_fraction, seed)
        )
        return train, validation
    train, validation = usable
    _check_classes(train, "train", "can be used")
    _check_classes(validation, "validate", "can be used")
    return train, validation


def separate(train: Side, validation: Side) -> tuple[Side, Side]:
    """Returns both sides without a photo that is in both.

    A model is not validated on what it was trained with, so the copies on the
    validation side train, too. Photos are copies if their files are the same,
    byte for byte; those that only look the same stay.

    Args:
        train, validation: Photos and their contents, of the same classes.

    Raises:
        UserError: If nothing of a class is left to validate on.
    """
    photos, contents = validation
    known = {look.digest for look in train[1].found}
    shared = np.array([x.digest in known for x in contents.found], bool)
    rows, left = np.flatnonzero(shared), np.flatnonzero(~shared)
    if not len(rows):
        return train, validation
    more = photos.take(rows)
    both = dataclasses.replace(
        train[0],
        paths=train[0].paths + more.paths,
        labels=np.concatenate([train[0].labels, more.labels]),
    )
    train = (both, train[1] + contents.take(rows))
    validation = (photos.take(left), contents.take(left))
    _check_classes(
        validation, "validate", "is left: all are copies of training photos"
    )
    return train, validation


def _check_classes(side, use, what):
    for name, count in side[0].counts().items():
        if not count:
            raise UserError(
                f"To {use} on, no photo of the class '{name}' {what}. Add "
                "some, or remove the class."
            )
