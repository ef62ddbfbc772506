"""Photos with their labels and inspections, and checks of all sources."""

import contextlib
import dataclasses
import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from thaw.data.class_names import (
    check_class_name,
    composed,
    sorted_names,
)
from thaw.data.inspect_worker import Inspection
from thaw.errors import UserError, list_some
from thaw.pixel_range import PixelRange


@dataclasses.dataclass(frozen=True, eq=False)
class Photos:
    """Photos in a fixed order, their labels, and what is in their files.

    Attributes:
        paths: Path of each photo.
        labels: Index into `class_names` of each photo, int32 (N,); all 0
            where the photos are unlabelled.
        class_names: Names of the classes, in order (`sorted_names`) unless
            they are a model's; () where unlabelled.
        skipped: Number of files that are no photos, by kind.
        inspections: Content of each file. () until the photos are inspected;
            while they are, None where it is not known yet.
        stamps: Size in bytes, time of the last change of the content and of
            the file's entry in nanoseconds when they were inspected, int64
            (N, 3), or None.
        groups: Name of each photo's group, e.g. the patient; () where no
            groups are given.
        pixel_ranges: By kind of samples, the values that become black and
            white, as in `pixels.decode`; none for photos of 8 bits, unless
            it was given.
        notes: Lines on how labels were read, where that isn't obvious.
    """

    paths: tuple[str, ...]
    labels: np.ndarray
    class_names: tuple[str, ...]
    skipped: Counter = dataclasses.field(default_factory=Counter)
    inspections: tuple[Inspection, ...] = ()
    stamps: np.ndarray | None = None
    groups: tuple[str, ...] = ()
    pixel_ranges: Mapping[str, PixelRange] = dataclasses.field(
        default_factory=dict
    )
    notes: tuple[str, ...] = ()

    @classmethod
    def labelled(
        cls,
        paths: Sequence[str],
        names: Sequence[str],
        groups: Sequence[str] = (),
    ) -> "Photos":
        """Returns photos with the name of each one's class.

        Args:
            paths: Path of each photo.
            names: Name of its class; names that differ only by Unicode's forms
                NFC and NFD are one.
            groups: Name of its group, or ().

        Raises:
            UserError: If a name can't be used.
        """
        class_of = {name: composed(name) for name in set(names)}
        class_names = sorted_names(set(class_of.values()))
        for name in class_names:
            check_class_name(name)
        numbers = {name: number for number, name in enumerate(class_names)}
        number_of = {name: numbers[own] for name, own in class_of.items()}
        labels = np.array([number_of[name] for name in names], "int32")
        return cls(tuple(paths), labels, class_names, groups=tuple(groups))

    @classmethod
    def unlabelled(cls, paths: Sequence[str]) -> "Photos":
        """Returns photos without classes."""
        return cls(tuple(paths), np.zeros(len(paths), "int32"), ())

    def __len__(self):
        return len(self.paths)

    def __add__(self, other: "Photos") -> "Photos":
        """Returns both; what is not of each photo is that of `self`."""
        together = dataclasses.replace(
            self,
            paths=self.paths + other.paths,
            labels=np.concatenate([self.labels, other.labels]),
            inspections=self.inspections + other.inspections,
            groups=self.groups + other.groups,
        )
        if self.stamps is None:
            return together
        stamps = np.concatenate([self.stamps, other.stamps])
        return dataclasses.replace(together, stamps=stamps)

    def take(self, rows: Sequence[int] | np.ndarray) -> "Photos":
        """Returns the photos in `rows` (ints), in that order."""
        rows = np.asarray(rows, dtype="int64")
        numbers = rows.tolist()
        inspections = self.inspections and tuple(
            self.inspections[row] for row in numbers
        )
        return dataclasses.replace(
            self,
            paths=tuple(self.paths[row] for row in numbers),
            labels=self.labels[rows],
            inspections=inspections,
            stamps=None if self.stamps is None else self.stamps[rows],
            groups=self.groups and tuple(self.groups[row] for row in numbers),
        )

    def with_class_names(
        self, class_names: Sequence[str], option: str = "data"
    ) -> "Photos":
        """Returns the same photos, labelled by other class names.

        Args:
            class_names: Those of a model, or of the photos it trains on; some
                may be without photos.
            option: Name of the option that gave the photos, for the message.

        Raises:
            UserError: If photos are of another class.
        """
        class_names = tuple(class_names)
        if class_names == self.class_names:
            return self
        numbers = {name: number for number, name in enumerate(class_names)}
        composed_numbers = {composed(x): y for x, y in numbers.items()}
        # -1 is never taken: the class has no photos.
        places = {
            name: numbers.get(name, composed_numbers.get(composed(name), -1))
            for name in self.class_names
        }
        unknown = [x for x, n in self.counts().items() if n and places[x] < 0]
        if unknown:
            kind = "class" if len(unknown) == 1 else "classes"
            raise UserError(
                f"`{option}` holds photos of {len(unknown):,} unknown {kind}: "
                f"{list_some(unknown)}. Expected only these "
                f"{len(class_names):,}: {list_some(class_names)}"
            )
        labels = np.array(list(places.values()), "int32")[self.labels]
        return dataclasses.replace(self, labels=labels, class_names=class_names)

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

    def plain(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """Returns `pixels.is_plain` of some photos, bool (B,)."""
        return np.array([self.inspections[row].plain for row in rows], bool)

    def fingerprint(self) -> str:
        """Returns a SHA-256 hash over the content of all files, in order.

        And over the range that their samples are scaled from, if there is one.
        """
        if len(self.inspections) != len(self):
            raise ValueError("Only inspected photos have a fingerprint.")
        parts: list[str] = [x.digest for x in self.inspections]
        parts += [f"{x} {y}" for x, y in sorted(self.pixel_ranges.items())]
        return hashlib.sha256("".join(parts).encode()).hexdigest()

    def unchanged(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
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
