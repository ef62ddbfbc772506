"""What the files of photos hold: read once, then known by size and time."""

import contextlib
import dataclasses
import hashlib
import os
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from input_pipeline.decode import check_readable

_TABLE = (
    "CREATE TABLE IF NOT EXISTS photos (path BLOB PRIMARY KEY, size INTEGER, "
    "mtime_ns INTEGER, ctime_ns INTEGER, digest BLOB) WITHOUT ROWID"
)


@dataclasses.dataclass(frozen=True, eq=False)
class Contents:
    """The files of photos as they were when they were checked.

    Attributes:
        paths: Path of each photo.
        stamps: Size in bytes, time of the last change of the content and of
            the file's entry in nanoseconds, int64 (N, 3).
        digests: Hash of each file, as `check_readable` returns them.
    """

    paths: tuple[str, ...]
    stamps: np.ndarray
    digests: tuple[bytes, ...]

    def take(self, rows: slice) -> "Contents":
        """Returns the contents of some of the photos."""
        return Contents(self.paths[rows], self.stamps[rows], self.digests[rows])

    def fingerprint(self) -> str:
        """Returns a hash over the contents of all photos in their order."""
        return hashlib.sha256(b"".join(self.digests)).hexdigest()

    def unchanged(self, rows: np.ndarray) -> np.ndarray:
        """Returns which files have kept size and times, bool (B,)."""
        now = _stamps([self.paths[row] for row in rows])
        return (now == self.stamps[rows]).all(axis=1)


def check_contents(
    paths: Sequence[str], memo: str | Path | None = None
) -> Contents:
    """Reads and decodes every photo that is not known from an earlier run.

    A photo is known by its path, size and times; it is not read again.

    Args:
        paths: Paths of the photos.
        memo: SQLite file with what earlier runs found, made where it is
            missing; None: every photo is read.

    Raises:
        UserError: If any cannot be decoded; it names them.
    """
    stamps = _stamps(paths)
    names = [os.fsencode(os.path.abspath(path)) for path in paths]
    stamped = [
        (name, *stamp)
        for name, stamp in zip(names, stamps.tolist(), strict=True)
    ]
    digests = _load(memo, stamped) if memo else [None] * len(paths)
    new = [row for row, digest in enumerate(digests) if digest is None]
    found = check_readable([paths[row] for row in new])
    for row, digest in zip(new, found, strict=True):
        digests[row] = digest
    if memo and new:
        _save(memo, [(*stamped[row], digests[row]) for row in new])
    return Contents(tuple(paths), stamps, tuple(digests))


def _stamps(paths):
    stamps = np.full((len(paths), 3), -1, "int64")
    for row, path in enumerate(paths):
        with contextlib.suppress(FileNotFoundError):  # is found when it is read
            stat = os.stat(path)
            stamps[row] = stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
    return stamps


def _load(memo, stamped):
    """Returns the digest of each (path, *stamp), None where it is not known."""
    query = (
        "SELECT digest FROM photos WHERE path = ? AND size = ? AND "
        "mtime_ns = ? AND ctime_ns = ?"
    )
    try:
        with contextlib.closing(sqlite3.connect(memo)) as database:
            database.execute(_TABLE)
            found = [database.execute(query, key).fetchone() for key in stamped]
        return [digest[0] if digest else None for digest in found]
    except sqlite3.OperationalError as error:  # e.g. locked
        _say(memo, error)
    except sqlite3.DatabaseError:  # damaged
        Path(memo).unlink(missing_ok=True)
    return [None] * len(stamped)


def _save(memo, rows):
    try:
        with contextlib.closing(sqlite3.connect(memo)) as database, database:
            database.execute(_TABLE)
            database.executemany(
                "INSERT OR REPLACE INTO photos VALUES (?, ?, ?, ?, ?)", rows
            )
    except sqlite3.DatabaseError as error:  # e.g. no space left
        _say(memo, error)


def _say(memo, error):
    print(
        f"Cannot use {memo}: {error}. The photos are read again next time",
        file=sys.stderr,
    )
