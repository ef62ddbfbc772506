"""What the files of photos hold: looked at once, then known."""

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import sqlite3
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import PIL

from thaw.cached_folder import default_cache_dir
from thaw.data import MAX_PIXELS, pixels
from thaw.data.inspect_worker import TOO_MANY, Found

# What is found depends on these, too; the number: on code of ours.
_READER = " ".join(("3", PIL.__version__, *pixels.FORMATS))
_KEPT_AT_A_TIME = 1000  # photos
_TABLE = (
    "CREATE TABLE IF NOT EXISTS looks (path BLOB PRIMARY KEY, size INTEGER, "
    "mtime_ns INTEGER, ctime_ns INTEGER, reader TEXT, found TEXT) "
    "WITHOUT ROWID"
)


@dataclasses.dataclass(frozen=True, eq=False)
class Contents:
    """The files of photos as they were when they were checked.

    Attributes:
        paths: Path of each photo.
        stamps: Size in bytes, time of the last change of the content and of
            the file's entry in nanoseconds, int64 (N, 3).
        found: What was found in each.
    """

    paths: tuple[str, ...]
    stamps: np.ndarray
    found: tuple[Found, ...]

    def key(self, row: int) -> tuple:
        """Returns what a photo is known by: path, stamp, and who read it."""
        path = os.fsencode(os.path.abspath(self.paths[row]))
        return path, *self.stamps[row].tolist(), _READER

    def take(self, rows: np.ndarray) -> "Contents":
        """Returns the contents of some of the photos, by their rows."""
        return Contents(
            tuple(self.paths[row] for row in rows),
            self.stamps[rows],
            tuple(self.found[row] for row in rows),
        )

    def __add__(self, other: "Contents") -> "Contents":
        return Contents(
            self.paths + other.paths,
            np.concatenate([self.stamps, other.stamps]),
            self.found + other.found,
        )

    def plain(self, rows: np.ndarray) -> np.ndarray:
        """Returns of some photos `pixels.is_plain`, bool (B,)."""
        return np.array([self.found[row].plain for row in rows], bool)

    def fingerprint(self) -> str:
        """Returns a hash over the contents of all photos in their order."""
        digests = "".join(look.digest for look in self.found)
        return hashlib.sha256(digests.encode()).hexdigest()

    def unchanged(self, rows: np.ndarray) -> np.ndarray:
        """Returns which files have kept size and times, bool (B,)."""
        now = _stamps([self.paths[row] for row in rows])
        return (now == self.stamps[rows]).all(axis=1)


def check_contents(
    paths: Sequence[str],
    memo: str | Path | None = None,
    max_pixels: int = MAX_PIXELS,
    progress: Callable[[int], None] | None = None,
    check: Callable | None = None,
) -> Contents:
    """Looks at every photo that is not known from an earlier run.

    A photo is known by its path, size and times; it is not read again.

    Args:
        paths: Paths of the photos.
        memo: SQLite file with what earlier runs found, made where it is
            missing; None: every photo is read.
        max_pixels: As in `check_photos`.
        progress: Called with the number of photos done, of those in `paths`.
        check: `Checker.check` of one with the same `max_pixels`; None: of one
            that is made for these photos alone.
    """
    return look_at_rest(
        recall(paths, memo, max_pixels), memo, max_pixels, progress, check
    )


def look_at_rest(
    known: Contents,
    memo: str | Path | None,
    max_pixels: int,
    progress: Callable[[int], None] | None,
    check: Callable | None = None,
) -> Contents:
    """Returns what `recall` does, and looks at the photos not known.

    Args:
        known: Of `recall`.
        memo, max_pixels, progress, check: As in `check_contents`.
    """
    found = list(known.found)
    new = [row for row, look in enumerate(found) if look is None]
    if not new:
        return known
    if check is None:
        from thaw.data.inspect import check_photos  # imports TensorFlow

        check = functools.partial(check_photos, max_pixels=max_pixels)
    done = len(found) - len(new)
    unkept = []
    try:
        for place, look in check([known.paths[row] for row in new]):
            row = new[place]
            found[row] = look
            if look.digest:  # else the reason may be gone the next time
                unkept.append((*known.key(row), json.dumps(look)))
            if len(unkept) >= _KEPT_AT_A_TIME:
                _save(memo, unkept)
                unkept = []
            done += 1
            if progress is not None:
                progress(done)
    finally:  # Ctrl-C, too: what was looked at is known the next time
        _save(memo, unkept)
    return dataclasses.replace(known, found=tuple(found))


def recall(
    paths: Sequence[str], memo: str | Path | None, max_pixels: int
) -> Contents:
    """Returns what is known of photos, `found` being None of the others.

    Args:
        paths, memo, max_pixels: As in `check_contents`.
    """
    contents = Contents(tuple(paths), _stamps(paths), (None,) * len(paths))
    if memo is None:
        return contents
    keys = [contents.key(row) for row in range(len(paths))]
    try:
        looks = _load(memo, keys)
    except (OSError, sqlite3.Error) as error:  # e.g. locked
        _say(memo, error)
        return contents
    return dataclasses.replace(
        contents,
        found=tuple(
            look if look and _holds(look, max_pixels) else None
            for look in looks
        ),
    )


def _holds(look, max_pixels):
    """Returns whether what was found is so with these `max_pixels`, too."""
    was_too_large = (look.reason or "").startswith(TOO_MANY)
    return was_too_large == (look.width * look.height > max_pixels)


def default_memo() -> Path:
    """Returns the file in the user's cache in which photos are known."""
    return default_cache_dir() / "photos.sqlite"


def _stamps(paths):
    stamps = np.full((len(paths), 3), -1, "int64")
    for row, path in enumerate(paths):
        with contextlib.suppress(OSError):  # is found when it is looked at
            stat = os.stat(path)
            stamps[row] = stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
    return stamps


def _load(memo, keys):
    """Returns what is known of each `Contents.key`, else None."""
    query = (
        "SELECT found FROM looks WHERE path = ? AND size = ? AND "
        "mtime_ns = ? AND ctime_ns = ? AND reader = ?"
    )
    Path(memo).parent.mkdir(parents=True, exist_ok=True)
    try:
        with contextlib.closing(sqlite3.connect(memo)) as database:
            database.execute(_TABLE)
            rows = [database.execute(query, key).fetchone() for key in keys]
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:  # damaged
        Path(memo).unlink()
        return _load(memo, keys)
    return [row and Found(*json.loads(row[0])) for row in rows]


def _save(memo, rows):
    """Writes tuples of a `Contents.key` and what was found as JSON."""
    if memo is None or not rows:
        return
    try:
        with contextlib.closing(sqlite3.connect(memo)) as database, database:
            database.execute(_TABLE)
            database.executemany(
                "INSERT OR REPLACE INTO looks VALUES (?, ?, ?, ?, ?, ?)", rows
            )
    except sqlite3.DatabaseError as error:  # e.g. no space left
        _say(memo, error)


def _say(memo, error):
    print(
        f"Cannot use {memo}: {error}. The photos are read again next time",
        file=sys.stderr,
    )
