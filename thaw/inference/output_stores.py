"""Places for the files of an output: a folder, or a prefix in a store."""

import os
from pathlib import Path
from typing import Protocol

import filelock

from thaw import atomic
from thaw.data import remote
from thaw.errors import UserError

_LOCK = ".lock"


class OutputStore(Protocol):
    """Files of one folder, each written whole."""

    def names(self) -> set[str]:
        """Returns the names of all files, but hidden ones."""

    def read(self, name: str) -> bytes:
        """Returns what is in a file."""

    def write(self, name: str, content: bytes, replace: bool = True) -> None:
        """Writes a file; unless `replace`, one that is there stays."""


def open_store(output: str | os.PathLike) -> OutputStore:
    """Returns the store of a path or an address.

    Args:
        output: Path of a folder, which is made by the first file, or the
            address of a prefix, e.g. `s3://bucket/predictions`.

    Raises:
        UserError: If there can't be one.
    """
    output = os.fspath(output)
    if remote.is_remote(output):
        return _RemoteStore(output)
    return _LocalStore(Path(output))


class _LocalStore:
    def __init__(self, folder):
        self._folder = folder
        if folder.exists() and not folder.is_dir():
            raise UserError(f"`output`: {folder} is a file. Give a folder.")

    def names(self):
        if not self._folder.is_dir():
            return set()
        names = os.listdir(self._folder)
        return {x for x in names if not x.startswith(".")}

    def read(self, name):
        return (self._folder / name).read_bytes()

    def write(self, name, content, replace=True):
        path = self._folder / name
        self._folder.mkdir(parents=True, exist_ok=True)
        if replace:
            atomic.write_bytes(path, content)
            return
        with filelock.FileLock(self._folder / _LOCK):
            if not path.exists():
                atomic.write_bytes(path, content)


class _RemoteStore:
    def __init__(self, prefix):
        self._prefix = prefix.rstrip("/")
        if prefix.lower().startswith(("file:", "local:")):
            raise UserError(
                f"`output`: {prefix} is on this machine. Give its path."
            )

    def names(self):
        return remote.names_under(self._prefix)

    def read(self, name):
        return remote.read(f"{self._prefix}/{name}")

    def write(self, name, content, replace=True):
        remote.write(f"{self._prefix}/{name}", content, replace)
