"""Photos with their labels and inspections, and checks of all sources."""

import contextlib
import dataclasses
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from thaw.data.inspect_worker import Inspection
from thaw.errors import UserError

PREDICTION_COLUMNS = ("path", "predicted", "probability")
VALIDATION_NAMES = ("validation", "valid", "val", "test")
EXAMPLE = "Expected one folder per class, e.g. {0}/cat/1.jpg and {0}/dog/1.jpg"


@dataclasses.dataclass(frozen=True, eq=False)
class Photos:
    """Photos in a fixed order, their labels, and what is in their files.

    Attributes:
        paths: Path of each photo.
        labels: Index into `class_names` of each photo, int32 (N,); all 0
            where the photos are unlabelled.
        class_names: Names of the classes, sorted or in the order of a model's
            outputs; () where unlabelled.
        skipped: Number of files that are no photos, by kind.
        inspections: Content of each file; None where it is not known. ()
            until the photos are inspected.
        stamps: Size in bytes, time of the last change of the content and of
            the file's entry in nanoseconds when they were inspected, int64
            (N, 3), or None.
    """

    paths: tuple[str, ...]
    labels: np.ndarray
    class_names: tuple[str, ...]
    skipped: Counter = dataclasses.field(default_factory=Counter)
    inspections: tuple[Inspection | None, ...] = ()
    stamps: np.ndarray | None = None

    @classmethod
    def labelled(
        cls, paths: Sequence[str], names: Sequence[str], where: str
    ) -> "Photos":
        """Returns photos with the name of each one's class.

        Args:
            paths: Path of each photo.
            names: Name of its class.
            where: Place of the classes, for the message.

        Raises:
            UserError: If a name can't be used, or there is one class only.
        """
        class_names = tuple(sorted(set(names)))
        for name in class_names:
            check_class_name(name)
        if len(class_names) < 2:
            found = "".join(f"Only one class, '{x}'," for x in class_names)
            raise UserError(
                f"{found or 'No class'} {where}; telling classes apart takes "
                "two."
            )
        numbers = {name: number for number, name in enumerate(class_names)}
        labels = np.array([numbers[name] for name in names], "int32")
        return cls(tuple(paths), labels, class_names)

    @classmethod
    def unlabelled(cls, paths: Sequence[str]) -> "Photos":
        """Returns photos without classes."""
        return cls(tuple(paths), np.zeros(len(paths), "int32"), ())

    def __len__(self):
        return len(self.paths)

    def __add__(self, other: "Photos") -> "Photos":
        """Returns both; class names and skipped files are those of `self`."""
        together = dataclasses.replace(
            self,
            paths=self.paths + other.paths,
            labels=np.concatenate([self.labels, other.labels]),
            inspections=self.inspections + other.inspections,
        )
        if self.stamps is None:
            return together
        stamps = np.concatenate([self.stamps, other.stamps])
        return dataclasses.replace(together, stamps=stamps)

    def take(self, rows: Sequence[int]) -> "Photos":
        """Returns the photos in `rows` (ints), in that order."""
        rows = np.asarray(rows, dtype="int64")
        inspections = self.inspections and tuple(
            self.inspections[row] for row in rows
        )
        return dataclasses.replace(
            self,
            paths=tuple(self.paths[row] for row in rows),
            labels=self.labels[rows],
            inspections=inspections,
            stamps=None if self.stamps is None else self.stamps[rows],
        )

    def with_class_names(self, class_names: Sequence[str]) -> "Photos":
        """Returns the same photos, their labels indices into other names.

        Args:
            class_names: All names of the classes, in another order.
        """
        places = [class_names.index(name) for name in self.class_names]
        return dataclasses.replace(
            self,
            labels=np.array(places, "int32")[self.labels],
            class_names=tuple(class_names),
        )

    def counts(self) -> dict[str, int]:
        """Returns the number of photos of each class, by name."""
        counts = np.bincount(self.labels, minlength=len(self.class_names))
        return dict(zip(self.class_names, counts.tolist(), strict=False))

    def usable(self) -> "Photos":
        """Returns the inspected photos that can be used."""
        reasons = [inspection.reason for inspection in self.inspections]
        return self.take([i for i, why in enumerate(reasons) if why is None])

    def bad(self) -> list[tuple[str, str]]:
        """Returns path and reason of each photo that cannot be used."""
        return [
            (path, inspection.reason)
            for path, inspection in zip(
                self.paths, self.inspections, strict=True
            )
            if inspection.reason is not None
        ]

    def plain(self, rows: Sequence[int]) -> np.ndarray:
        """Returns `pixels.is_plain` of some photos, bool (B,)."""
        return np.array([self.inspections[row].plain for row in rows], bool)

    def fingerprint(self) -> str:
        """Returns a SHA-256 hash over the content of all files, in order."""
        if len(self.inspections) != len(self):
            raise ValueError("Only inspected photos have a fingerprint.")
        digests = "".join(x.digest for x in self.inspections)
        return hashlib.sha256(digests.encode()).hexdigest()

    def unchanged(self, rows: Sequence[int]) -> np.ndarray:
        """Returns which files kept size and times, bool (B,).

        All of them where they were never inspected.
        """
        if self.stamps is None:
            return np.ones(len(rows), bool)
        now = file_stamps([self.paths[row] for row in rows])
        return (now == self.stamps[rows]).all(axis=1)


def file_stamps(paths: Sequence[str]) -> np.ndarray:
    """Returns `Photos.stamps` of files as they are now; -1 if missing."""
    stamps = np.full((len(paths), 3), -1, "int64")
    for row, path in enumerate(paths):
        with contextlib.suppress(OSError):  # reported by the inspection
            stat = os.stat(path)
            stamps[row] = stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
    return stamps


def load_both(
    load: Callable[[Path, str], Photos],
    data: str | Path,
    validation_data: str | Path | None,
) -> tuple[Photos, Photos | None]:
    """Returns (train, validation), each loaded from its folder or table.

    Args:
        load: Function of a path and the name of the option that holds it.
        data: Source of the training photos.
        validation_data: The same to validate on, or None.

    Raises:
        UserError: If the two splits hold different classes.
    """
    train = load(Path(data), "data")
    if validation_data is None:
        return train, None
    validation = load(Path(validation_data), "validation_data")
    if validation.class_names != train.class_names:
        raise UserError(
            f"{data} and {validation_data} hold different classes: "
            f"{', '.join(train.class_names)} and "
            f"{', '.join(validation.class_names)}. Expected the same in both."
        )
    return train, validation


def check_class_name(name: str) -> None:
    """Raises a `UserError` if a class can't have this name."""
    if name in PREDICTION_COLUMNS:
        raise UserError(
            f"A class can't be called '{name}': predictions have a column of "
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


def check_folder(folder: Path, option: str) -> None:
    """Raises a `UserError` if there is no such folder."""
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise UserError(
            f"`{option}`: {folder} {what}. {EXAMPLE.format(folder)}"
        )
