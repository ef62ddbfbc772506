"""Train/validation split: seeded, and independent of the pixels."""

from collections.abc import Sequence

import numpy as np

from thaw.data.grouped_split import grouped_rows
from thaw.data.photos import Photos
from thaw.data.rare_classes import settle_rare_classes
from thaw.errors import UserError


def stratified_rows(
    photos: Photos, validation_fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns rows to train and to validate on: the same share of each class.

    Args:
        photos: `Photos`.
        validation_fraction: Share of each class to validate on, in (0, 1);
            rounded, but at least one photo of a class in either split. An
            only photo trains.
        seed: Seed of the choice.

    Returns:
        Two arrays of ints, ascending.
    """
    chosen = np.zeros(len(photos), dtype=bool)
    for _, rows in _shuffled_rows(photos, seed):
        count = round(validation_fraction * len(rows))
        chosen[rows[: min(max(count, 1), len(rows) - 1)]] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def limit_per_class(photos: Photos, limit: int, seed: int) -> Photos:
    """Returns at most `limit` photos of each class, drawn by `seed`."""
    kept = [rows[:limit] for _, rows in _shuffled_rows(photos, seed)]
    return photos.take(np.sort(np.concatenate(kept)))


def _shuffled_rows(photos, seed):
    """Yields each label with the rows of its photos in a random order."""
    for label in range(len(photos.class_names)):
        rng = np.random.default_rng([seed, label])
        yield label, rng.permutation(np.flatnonzero(photos.labels == label))


def split_photos(
    usable: Sequence[Photos],
    validation_fraction: float = 0.2,
    seed: int = 0,
    rare_classes: str = "stop",
) -> tuple[Photos, Photos]:
    """Returns the photos to train on, and those to validate on.

    Args:
        usable: Photos to be split, or those of both splits. Groups are not
            divided.
        validation_fraction, seed: As in `stratified_rows`.
        rare_classes: As in `rare_classes.settle_rare_classes`.

    Raises:
        UserError: If a class has too few photos, or nothing is left.
    """
    usable = settle_rare_classes(usable, rare_classes)
    if len(usable) == 2:
        train, validation = usable
        if not len(validation):
            raise UserError(
                "No validation photo is left: none can be used, or they are of "
                "classes that are left out. Add some."
            )
        return train, validation
    (photos,) = usable
    choose_rows = grouped_rows if photos.groups else stratified_rows
    rows = choose_rows(photos, validation_fraction, seed)
    train, validation = map(photos.take, rows)
    if not len(validation):
        units = "group" if photos.groups else "photo"
        raise UserError(
            f"No {units} is left for validation: each is the only one of its "
            "class, and is needed for training. Add photos, or give "
            "`validation_data`."
        )
    return train, validation


def move_duplicates(train: Photos, validation: Photos) -> tuple[Photos, Photos]:
    """Returns both splits, without a photo that is in both.

    A model is not validated on what it was trained with, so a validation photo
    whose file is that of a training photo, byte for byte, is moved to the
    training photos. Photos that only look the same stay.

    Args:
        train, validation: Inspected photos of the same classes.

    Raises:
        UserError: If nothing is left to validate on.
    """
    known = {inspection.digest for inspection in train.inspections}
    shared = np.array([x.digest in known for x in validation.inspections], bool)
    if not shared.any():
        return train, validation
    train += validation.take(np.flatnonzero(shared))
    validation = validation.take(np.flatnonzero(~shared))
    if not len(validation):
        raise UserError(
            "No validation photo is left: all are duplicates of training "
            "photos."
        )
    return train, validation
