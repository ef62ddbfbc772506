"""Cache folder: entries, size limit, removal of the least recently used."""

import contextlib
import os
import re
import shutil
import tempfile
from pathlib import Path

import numpy as np

from thaw.atomic import written_beside
from thaw.progress import warn

SHARD_NAME = re.compile(r"(\d{4})-([0-9a-f]{8})\.npy")
_KEY = re.compile(r"[0-9a-f]{32}")
_SHARE_OF_FREE_DISK = 0.9


class CacheFolder:
    """A folder with one folder per key, the least recently used go first.

    Nothing but files of its own is ever removed.

    Attributes:
        path: Path of the folder.
        writable: False once writing failed: the run goes on without.
    """

    def __init__(self, path: str | Path, limit_bytes: int):
        """Opens the folder, and makes it where it is missing.

        Args:
            path: Path of the folder.
            limit_bytes: What it may take at most.

        Raises:
            OSError: If no file can be made in it.
        """
        self.path = Path(path)
        self._limit_bytes = limit_bytes
        self.writable = True
        self.path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self.path):
            pass  # tries whether files can be made in it

    def files(self, key: str) -> list[Path]:
        """Returns the paths of the files under `key`."""
        folder = self.path / key
        try:
            return list(folder.iterdir())
        except FileNotFoundError:
            return []

    def size(self, key: str) -> int:
        """Returns the bytes stored under `key`."""
        sizes = 0
        for path in self.files(key):
            with contextlib.suppress(FileNotFoundError):  # another run's work
                sizes += path.stat().st_size
        return sizes

    def write_array(
        self, key: str, name: str, array: np.ndarray
    ) -> Path | None:
        """Writes a `.npy` file, complete or not at all; returns its path.

        Not flushed to the disk: what a power cut tears is found by checksum.
        If it cannot be written, says so, stops all further writing and returns
        None.
        """
        path = self.path / key / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with (
                written_beside(path, flush=False) as beside,
                open(beside, "wb") as file,
            ):
                header = np.lib.format.header_data_from_array_1_0(array)
                np.lib.format.write_array_header_2_0(file, header)
                file.write(array.view("uint8").data)
        except OSError as error:
            self.writable = False
            warn(
                f"Cache: cannot write to {self.path}: {error.strerror}. "
                "Training continues; features that aren't stored are "
                "computed again"
            )
            return None
        return path

    def room_for(self, keys: set[str]) -> int:
        """Returns the bytes that the entries `keys` may take in all.

        What other entries take can be had by `make_room`.
        """
        free = shutil.disk_usage(self.path).free
        ours = sum(self.size(key) for key in self._entries() | keys)
        return min(self._limit_bytes, ours + int(free * _SHARE_OF_FREE_DISK))

    def make_room(
        self, keys: set[str], needed_bytes: int, room_bytes: int
    ) -> None:
        """Removes other entries, the least recently used first.

        Args:
            keys: Entries of this run, which are marked as used.
            needed_bytes: What they will take in all.
            room_bytes: What they and all others may take.
        """
        others = {key: self.size(key) for key in self._entries() - keys}
        stored = sum(self.size(key) for key in keys)
        taken = max(needed_bytes, stored) + sum(others.values())
        for key in sorted(others, key=self._last_use):
            if taken <= room_bytes:
                break
            self._remove(key)
            taken -= others[key]
        for key in keys & self._entries():
            with contextlib.suppress(FileNotFoundError):
                os.utime(self.path / key)

    def _entries(self):
        return {
            entry.name
            for entry in os.scandir(self.path)
            if _KEY.fullmatch(entry.name)
            and entry.is_dir(follow_symlinks=False)
        }

    def _remove(self, key):
        for path in self.files(key):
            if SHARD_NAME.search(path.name):  # half written ones, too
                path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # it holds something else
            (self.path / key).rmdir()

    def _last_use(self, key):
        try:
            return (self.path / key).stat().st_mtime
        except FileNotFoundError:  # removed by another run
            return 0.0


def load_array(path: Path) -> np.ndarray | None:
    """Returns the array in a file, memory-mapped; None where it has none.

    Raises:
        OSError: If it cannot be opened.
    """
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except OSError:
        raise
    except Exception:  # a damaged header may be any Python text
        return None
