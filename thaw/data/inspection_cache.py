"""Per-file inspection results, cached in SQLite."""

import contextlib
import json
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import PIL

from thaw.atomic import default_cache_dir
from thaw.data import pixels
from thaw.data.inspect_worker import Inspection
from thaw.data.photos import Photos
from thaw.progress import warn

# An inspection depends on these, too; the number stands for our own code.
_READER = " ".join(("5", PIL.__version__, *pixels.FORMATS))
_TABLE = (
    "CREATE TABLE IF NOT EXISTS looks (path BLOB PRIMARY KEY, size INTEGER, "
    "mtime_ns INTEGER, ctime_ns INTEGER, reader TEXT, found TEXT) "
    "WITHOUT ROWID"
)
_QUERY = (
    "SELECT found FROM looks WHERE path = ? AND size = ? AND mtime_ns = ? AND "
    "ctime_ns = ? AND reader = ?"
)


def default_memo() -> Path:
    """Returns the SQLite file in the user's cache folder."""
    return default_cache_dir() / "photos.sqlite"


def load(memo: str | Path, photos: Photos) -> list[Inspection | None]:
    """Returns the known inspection of each photo, else None.

    A photo is known by its path, size and times.

    Args:
        memo: SQLite file, made if missing; a damaged one is made anew.
        photos: Photos with stamps.
    """
    memo = Path(memo)
    try:
        memo.parent.mkdir(parents=True, exist_ok=True)
        with _opened(memo) as database:
            return [
                row and Inspection.from_json(row[0])
                for row in (
                    database.execute(_QUERY, key).fetchone()
                    for key in _keys(photos)
                )
            ]
    except (OSError, sqlite3.OperationalError) as error:  # e.g. locked
        _warn(memo, error)
    except sqlite3.DatabaseError:  # damaged
        memo.unlink(missing_ok=True)
    return [None] * len(photos)


def save(
    memo: str | Path, photos: Photos, inspections: Sequence[Inspection]
) -> None:
    """Keeps the inspection of each photo, as far as the disk allows."""
    values = [
        (*key, json.dumps(inspection))
        for key, inspection in zip(_keys(photos), inspections, strict=True)
    ]
    try:
        with _opened(memo) as database, database:
            database.executemany(
                "INSERT OR REPLACE INTO looks VALUES (?, ?, ?, ?, ?, ?)", values
            )
    except sqlite3.DatabaseError as error:  # e.g. no space left
        _warn(memo, error)


@contextlib.contextmanager
def _opened(memo):
    with contextlib.closing(sqlite3.connect(memo)) as database:
        database.execute(_TABLE)
        yield database


def _keys(photos):
    for path, stamp in zip(photos.paths, photos.stamps.tolist(), strict=True):
        yield os.fsencode(os.path.abspath(path)), *stamp, _READER


def _warn(memo, error):
    warn(
        f"Cannot use {memo}: {error}. The photos will be checked again next "
        "time"
    )
