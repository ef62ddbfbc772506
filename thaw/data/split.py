"""Which photos train and which validate: decided on names, never on pixels."""

from pathlib import Path

import numpy as np

from thaw.data.load import index_photos
from thaw.data.photos import PhotoIndex
from thaw.errors import UserError


def stratified_rows(
    photos: PhotoIndex, validation_fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns rows to train and to validate on: the same share of each class.

    Args:
        photos: `PhotoIndex`.
        validation_fraction: Share of each class to validate on, in (0, 1);
            rounded, but at least one photo a class on either side.
        seed: Seed of the choice.

    Returns:
        Two arrays of ints, rising.

    Raises:
        UserError: If a class has fewer than two photos.
    """
    chosen = np.zeros(len(photos), dtype=bool)
    for label, rows in _shuffled_rows(photos, seed):
        if len(rows) < 2:
            count = "one photo only" if len(rows) else "no photo"
            raise UserError(
                f"The class '{photos.class_names[label]}' has {count}. "
                "Expected at least two, to train and to validate on."
            )
        count = round(validation_fraction * len(rows))
        chosen[rows[: min(max(count, 1), len(rows) - 1)]] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


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
    validation_data: str | Path | None = None,
    limit: int | None = None,
    seed: int = 0,
    label_regex: str | None = None,
) -> list[PhotoIndex]:
    """Returns the photos: one index, or, where they are split, two.

    Args:
        data, validation_data, label_regex: As in `index.index_photos`.
        limit: Largest number of photos per class on either side; None: all.
        seed: Seed of which these are.

    Raises:
        UserError: If there is nothing sensible to train on.
    """
    sides = index_photos(data, validation_data, label_regex)
    return [
        photos if limit is None else limit_per_class(photos, limit, seed)
        for photos in sides
        if photos is not None
    ]
