"""Which photos train and which validate: decided on names, never on pixels."""

import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np

from errors import UserError
from input_pipeline.index import index_photos
from input_pipeline.photo_index import PhotoIndex


def stratified_split(
    photos: PhotoIndex, validation_fraction: float, seed: int
) -> tuple[PhotoIndex, PhotoIndex]:
    """Returns (train, validation): the same share of every class in each.

    Args:
        photos: `PhotoIndex`.
        validation_fraction: Share of each class to validate on, in (0, 1);
            rounded, but at least one photo a class on either side.
        seed: Seed of the choice.

    Returns:
        Two `PhotoIndex` in the order of `photos`.

    Raises:
        UserError: If a class has fewer than two photos.
    """
    chosen = np.zeros(len(photos), dtype=bool)
    for label, rows in _shuffled_rows(photos, seed):
        if len(rows) < 2:
            raise UserError(
                f"The class '{photos.class_names[label]}' has one photo only. "
                "Expected at least two, to train and to validate on."
            )
        count = round(validation_fraction * len(rows))
        chosen[rows[: min(max(count, 1), len(rows) - 1)]] = True
    train, validation = (
        photos.take(np.flatnonzero(side)) for side in (~chosen, chosen)
    )
    # What was passed over is counted once.
    return train, dataclasses.replace(validation, passed_over=Counter())


def limit_per_class(photos: PhotoIndex, limit: int, seed: int) -> PhotoIndex:
    """Returns at most `limit` photos of each class, drawn by `seed`."""
    kept = [rows[:limit] for _, rows in _shuffled_rows(photos, seed)]
    return photos.take(np.sort(np.concatenate(kept)))


def _shuffled_rows(photos, seed):
    """Yields each label with the rows of its photos in a random order."""
    for label in range(len(photos.class_names)):
        rng = np.random.default_rng([seed, label])
        yield label, rng.permutation(np.flatnonzero(photos.labels == label))


def load_photos(
    data: str | Path,
    validation_data: str | Path | None,
    validation_fraction: float,
    limit: int | None,
    seed: int,
    label_regex: str | None = None,
) -> tuple[PhotoIndex, PhotoIndex]:
    """Returns (train, validation): photos indexed, limited and split.

    Args:
        data, validation_data, label_regex: As in `index.index_photos`.
        validation_fraction, seed: As in `stratified_split`.
        limit: Largest number of photos per class on either side, or, where
            the photos still have to be split, on both together; None: all.

    Raises:
        UserError: If there is nothing sensible to train on.
    """
    train, validation = index_photos(data, validation_data, label_regex)
    if limit is not None:
        train = limit_per_class(train, limit, seed)
    if validation is None:
        return stratified_split(train, validation_fraction, seed)
    if limit is not None:
        validation = limit_per_class(validation, limit, seed)
    return train, validation
