"""Photos and their labels, and what holds for all ways to get there."""

import dataclasses
import os
from collections import Counter
from pathlib import Path

import numpy as np

from thaw.errors import UserError

PREDICTION_COLUMNS = ("path", "predicted", "probability")
VALIDATION_NAMES = ("validation", "valid", "val", "test")
EXAMPLE = "Expected one folder per class, e.g. {0}/cat/1.jpg and {0}/dog/1.jpg"


@dataclasses.dataclass(frozen=True)
class PhotoIndex:
    """Photos and their labels, in a fixed order.

    Attributes:
        paths: Path of each photo.
        labels: Index into `class_names` of each photo, int32 (N,).
        class_names: Names of the classes, sorted.
        passed_over: Number of files that are no photos, by what they are.
    """

    paths: tuple[str, ...]
    labels: np.ndarray
    class_names: tuple[str, ...]
    passed_over: Counter = dataclasses.field(default_factory=Counter)

    def __len__(self):
        return len(self.paths)

    def take(self, rows: np.ndarray) -> "PhotoIndex":
        """Returns the index of the photos in `rows` (ints), in their order."""
        rows = np.asarray(rows, dtype="int64")
        return PhotoIndex(
            tuple(self.paths[row] for row in rows),
            self.labels[rows],
            self.class_names,
            self.passed_over,
        )

    def counts(self) -> dict[str, int]:
        """Returns the number of photos of each class, by name."""
        counts = np.bincount(self.labels, minlength=len(self.class_names))
        return dict(zip(self.class_names, counts.tolist(), strict=True))


def check_same_classes(
    train_folder: Path,
    train: PhotoIndex,
    validation_folder: Path,
    validation: PhotoIndex,
) -> None:
    """Raises a `UserError` if the two sides hold different classes."""
    if validation.class_names != train.class_names:
        raise UserError(
            f"{train_folder} and {validation_folder} hold different classes: "
            f"{', '.join(train.class_names)} and "
            f"{', '.join(validation.class_names)}. Expected the same in both."
        )


def check_class_name(name: str) -> None:
    """Raises a `UserError` if predictions could not name a class so."""
    if name in PREDICTION_COLUMNS:
        raise UserError(
            f"A class cannot be called '{name}': predictions have a column of "
            "that name. Rename it."
        )
    try:
        name.encode()
    except UnicodeEncodeError:
        raise UserError(
            f"The name of the class {os.fsencode(name)} is not valid UTF-8. "
            "Rename it."
        ) from None
    if not name.isprintable():
        raise UserError(
            f"The name of the class {name!r} holds control codes. Rename it."
        )


def check_folder(folder: Path, flag: str) -> None:
    """Raises a `UserError` if there is no such folder."""
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise UserError(f"{flag}: {folder} {what}. {EXAMPLE.format(folder)}")
