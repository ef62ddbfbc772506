"""Atomic writes of files and folders.

The only place that writes beside, flushes and renames. Names of files are
bytes, and not every one is valid UTF-8: text is written and read with the
error handler `surrogateescape`, as `os.fsdecode` does.
"""

import contextlib
import csv
import json
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

_BESIDE = re.compile(r"\..+\.\d+")  # a name that `written_beside` gives


@contextlib.contextmanager
def written_beside(path: str | Path, flush: bool = True) -> Iterator[Path]:
    """Yields a path to write to, which becomes `path` if all went well.

    The caller makes a file there, or a folder with files. If it fails, or is
    killed, what was at `path` before is intact.

    Args:
        path: Path of the file, which is replaced, or of a folder that isn't
            there yet.
        flush: Whether all of it is on the disk before it's renamed; without,
            a power cut may leave a file that is torn.

    Raises:
        OSError: If it can't be written.
    """
    path = Path(path)
    beside = path.with_name(f".{path.name}.{threading.get_native_id()}")
    try:
        remove(beside)
        yield beside
        move_into_place(beside, path, flush)
    finally:
        remove(beside)


def remove_leftovers(folder: Path) -> None:
    """Removes what a killed process had not finished writing to a folder."""
    for path in folder.glob(".*"):
        if _BESIDE.fullmatch(path.name):
            remove(path)


def move_into_place(source: Path, path: Path, flush: bool = True) -> None:
    """Renames a file or folder that is whole; arguments as above."""
    if flush:
        _flush(source)
    os.replace(source, path)
    if flush:
        _flush_folder(path.parent)


def remove(path: Path) -> None:
    """Removes a file or a folder with all that is in it, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def open_text(path: str | Path, mode: str = "r") -> IO[str]:
    """Opens a text file whose content may hold names of files."""
    return open(
        path, mode, newline="", encoding="utf-8", errors="surrogateescape"
    )


def write_text(
    path: str | Path, text: str, errors: str = "surrogateescape"
) -> None:
    """Writes a text file in UTF-8.

    Args:
        path: Path of the file.
        text: Its content.
        errors: Error handler for bytes of file names that aren't UTF-8.

    Raises:
        OSError: If it can't be written.
    """
    write_bytes(path, text.encode("utf-8", errors))


def write_bytes(path: str | Path, content: bytes) -> None:
    """Writes a file; errors as of `write_text`."""
    with written_beside(path) as beside:
        beside.write_bytes(content)


def write_json(path: str | Path, value: object) -> None:
    """Writes a value as JSON; arguments and errors as of `write_text`."""
    write_bytes(path, json_bytes(value))


def json_bytes(value: object) -> bytes:
    """Returns a value as JSON in UTF-8."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    # A byte that isn't UTF-8 becomes \udcff, which JSON knows.
    return text.encode("utf-8", "backslashreplace")


def write_csv(path: str | Path, rows: Iterable[Sequence]) -> None:
    """Writes a table, the titles first; errors as of `write_text`."""
    with written_beside(path) as beside, open_text(beside, "w") as file:
        csv.writer(file).writerows(rows)


def cached_folder(folder: Path, make: Callable[[Path], None]) -> Path:
    """Returns `folder`, made by `make` if it isn't there.

    Of two runs that make it at once, one is used.

    Args:
        folder: Path of the folder.
        make: Function that fills an empty folder.

    Raises:
        OSError: If it can't be written.
    """
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with written_beside(folder, flush=False) as beside:
            beside.mkdir()
            make(beside)
    except OSError:
        if not folder.is_dir():  # else another run was faster
            raise
    return folder


def default_cache_dir() -> Path:
    """Returns the user's cache folder for Thaw, not yet made."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "thaw"


def _flush(path):
    if path.is_dir():
        for inner in path.iterdir():
            _flush(inner)
        _flush_folder(path)
    else:
        with open(path, "ab") as file:
            os.fsync(file.fileno())


def _flush_folder(path):
    if os.name == "nt":  # where folders can't be opened
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
