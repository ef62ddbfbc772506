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

from input_pipeline.check import MAX_PIXELS, Found, check_photos

_SHOWN = 10  # bad photos named in a message
_TABLE = (
    "CREATE TABLE IF NOT EXISTS found (path BLOB PRIMARY KEY, "
    "size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, digest BLOB, "
    "pixels INTEGER, look_hash BLOB, plain INTEGER) WITHOUT ROWID"
)


@dataclasses.dataclass(frozen=True, eq=False)
class Contents:
    """The files of photos as they were when they were checked.

    Attributes:
        paths: Path of each photo.
        stamps: Size in bytes, time of the last change of the content and of
            the file's entry in nanoseconds, int64 (N, 3).
        digests: Hash of each file, as `check_photos` returns them; None where
            it cannot be used.
        look_hashes: Of `pixels.look_hash`.
        plain: Of `pixels.is_plain`, bool (N,).
        reasons: Why it cannot be used, None where it can.
    """

    paths: tuple[str, ...]
    stamps: np.ndarray
    digests: tuple[bytes | None, ...]
    look_hashes: tuple[int | None, ...]
    plain: np.ndarray
    reasons: tuple[str | None, ...]

    def take(self, rows: np.ndarray) -> "Contents":
        """Returns the contents of some of the photos, by their rows."""
        return Contents(
            tuple(self.paths[row] for row in rows),
            self.stamps[rows],
            tuple(self.digests[row] for row in rows),
            tuple(self.look_hashes[row] for row in rows),
            self.plain[rows],
            tuple(self.reasons[row] for row in rows),
        )

    def bad(self) -> np.ndarray:
        """Returns the rows of the photos that cannot be used, ints."""
        return np.flatnonzero([why is not None for why in self.reasons])

    def fingerprint(self) -> str:
        """Returns a hash over the contents of all photos in their order."""
        return hashlib.sha256(b"".join(self.digests)).hexdigest()

    def unchanged(self, rows: np.ndarray) -> np.ndarray:
        """Returns which files have kept size and times, bool (B,)."""
        now = _stamps([self.paths[row] for row in rows])
        return (now == self.stamps[rows]).all(axis=1)


def check_contents(
    paths: Sequence[str],
    memo: str | Path | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Contents:
    """Reads and decodes every photo that is not known from an earlier run.

    A good photo is known by its path, size and times; it is not read again.

    Args:
        paths: Paths of the photos.
        memo: SQLite file with what earlier runs found, made where it is
            missing; None: every photo is read.
        max_pixels: As in `check_photos`.
    """
    stamps = _stamps(paths)
    names = [os.fsencode(os.path.abspath(path)) for path in paths]
    stamped = [
        (name, *stamp)
        for name, stamp in zip(names, stamps.tolist(), strict=True)
    ]
    found = _load(memo, stamped, max_pixels) if memo else [None] * len(paths)
    new = [row for row, known in enumerate(found) if known is None]
    looks = check_photos([paths[row] for row in new], max_pixels)
    for row, look in zip(new, looks, strict=True):
        found[row] = look
    good = [(stamped[row], found[row]) for row in new if not found[row].reason]
    if memo and good:
        _save(memo, good)
    return Contents(
        tuple(paths),
        stamps,
        tuple(look.digest for look in found),
        tuple(look.look_hash for look in found),
        np.array([bool(look.plain) for look in found], bool),
        tuple(look.reason for look in found),
    )


def describe_bad(checked: Contents) -> str:
    """Returns the list of the photos that cannot be used, and why."""
    bad = checked.bad()
    lines = [
        f"  {checked.paths[row]}: {checked.reasons[row]}"
        for row in bad[:_SHOWN]
    ]
    if len(bad) > _SHOWN:
        lines.append(f"  and {len(bad) - _SHOWN} more")
    return (
        f"{len(bad)} of {len(checked.paths)} photos cannot be used:\n"
        + "\n".join(lines)
    )


def _stamps(paths):
    stamps = np.full((len(paths), 3), -1, "int64")
    for row, path in enumerate(paths):
        with contextlib.suppress(FileNotFoundError):  # is found when it is read
            stat = os.stat(path)
            stamps[row] = stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
    return stamps


def _load(memo, stamped, max_pixels):
    """Returns what is known of each (path, *stamp), else None."""
    query = (
        "SELECT digest, pixels, look_hash, plain FROM found WHERE path = ? "
        "AND size = ? AND mtime_ns = ? AND ctime_ns = ? AND pixels <= ?"
    )
    try:
        with contextlib.closing(sqlite3.connect(memo)) as database:
            database.execute(_TABLE)
            found = [
                database.execute(query, (*key, max_pixels)).fetchone()
                for key in stamped
            ]
    except sqlite3.OperationalError as error:  # e.g. locked
        _say(memo, error)
        found = [None] * len(stamped)
    except sqlite3.DatabaseError:  # damaged
        Path(memo).unlink(missing_ok=True)
        found = [None] * len(stamped)
    return [row and _found(*row) for row in found]


def _found(digest, pixels, look_hash, plain):
    look_hash = look_hash and int.from_bytes(look_hash, "big")
    return Found(digest, pixels, look_hash, bool(plain))


def _save(memo, good):
    """Writes pairs of (path, *stamp) and `Found`."""
    rows = []
    for stamped, look in good:
        # SQLite's integers have a sign, and one bit less.
        look_hash = look.look_hash and look.look_hash.to_bytes(8, "big")
        found = (look.digest, look.pixels, look_hash, look.plain)
        rows.append((*stamped, *found))
    try:
        with contextlib.closing(sqlite3.connect(memo)) as database, database:
            database.execute(_TABLE)
            database.executemany(
                "INSERT OR REPLACE INTO found VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
    except sqlite3.DatabaseError as error:  # e.g. no space left
        _say(memo, error)


def _say(memo, error):
    print(
        f"Cannot use {memo}: {error}. The photos are read again next time",
        file=sys.stderr,
    )
