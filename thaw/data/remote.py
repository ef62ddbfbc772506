"""Files at addresses such as s3://bucket/1.jpg, read through fsspec.

fsspec is an extra, imported where an address is given only.
"""

import contextlib
import functools
import os
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

from thaw.errors import UserError, first_line, shown

INSTALL = "pip install -e '.[remote]'"
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_AT_A_TIME = 32  # files
_PAUSE_SECONDS = 0.5
# What tells one version of a file from another, where a store has it.
_VERSION = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "created")


def is_remote(data: str | os.PathLike) -> bool:
    """Returns whether `data` is an address, e.g. `s3://bucket/photos`."""
    return bool(_ADDRESS.match(os.fspath(data)))


@contextlib.contextmanager
def opened(address: str) -> Iterator["RemoteFile"]:
    """Yields a file opened for reading; parts of it are fetched as needed.

    Raises:
        UserError: If it is missing or can't be read, now or later.
    """
    files, path = _files_of(address)
    with _explained(address):
        file = files.open(path, "rb")
    with file:
        yield RemoteFile(file, address)


class RemoteFile:
    """A file at an address; what a store raises is a `UserError`."""

    def __init__(self, file: IO[bytes], address: str):
        self._file = file
        self._address = address
        self.seek, self.tell = file.seek, file.tell
        self.seekable = file.seekable

    def read(self, size: int = -1) -> bytes:
        """Returns the next bytes, at most `size` of them."""
        with _explained(self._address):
            return self._file.read(size)


def read(address: str) -> bytes:
    """Returns what is in a file; errors as of `opened`."""
    files, path = _files_of(address)
    with _explained(address):
        return files.cat_file(path)


def version(address: str) -> tuple[int, str]:
    """Returns the bytes of a file, and a text that changes with its content.

    The text is as good as what the store tells; errors as of `opened`.
    """
    files, path = _files_of(address)
    with _explained(address):
        info = files.info(path)
    facts = [f"{name}={info[name]}" for name in _VERSION if info.get(name)]
    return info.get("size") or 0, " ".join(facts)


def write(address: str, content: bytes, replace: bool = True) -> None:
    """Writes a file, whole where the store does so, as object stores do.

    Args:
        address: Its address.
        content: What is to be in it.
        replace: Whether one that is there is replaced, or stays.

    Raises:
        UserError: If it can't be written.
    """
    files, path = _files_of(address)
    mode = {} if replace else {"mode": "create"}
    with _explained(address, "written"):
        with contextlib.suppress(FileExistsError):  # asked for by "create"
            _twice(functools.partial(files.pipe_file, **mode), path, content)


def list_files(prefix: str) -> list[str]:
    """Returns the sorted addresses of all files under a prefix.

    Raises:
        UserError: If it can't be listed.
    """
    files, path = _files_of(prefix)
    files.invalidate_cache()  # of what was there before
    with _explained(prefix):
        found = files.find(path)
    return [files.unstrip_protocol(x) for x in found]


def names_under(prefix: str) -> set[str]:
    """Returns the names of all files under a prefix, without it.

    Of a prefix that isn't there, there are none; errors as of `list_files`.
    """
    files, path = _files_of(prefix)
    files.invalidate_cache()
    with _explained(prefix), contextlib.suppress(FileNotFoundError):
        return {os.path.relpath(x, path) for x in files.find(path)}
    return set()


def fetch(addresses: Sequence[str], folder: Path) -> list[str]:
    """Returns the paths of copies of files; one that is missing has no copy.

    Files on this machine have none either: they are as they were.

    Args:
        addresses: Addresses, and paths of files on this machine.
        folder: Folder for the copies, which are numbered.

    Raises:
        UserError: If a store refuses, or can't be reached.
    """
    paths, copies = list(addresses), []
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        for row, address in enumerate(addresses):
            if is_remote(address):
                ending = os.path.splitext(address)[1]
                paths[row] = os.fspath(folder / f"{row:06d}{ending}")
                copies.append(pool.submit(_copy, address, paths[row]))
        try:
            for copy in copies:
                copy.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return paths


def _copy(address, path):
    """Copies a file to a path, unless it is missing."""
    files, name = _files_of(address)
    try:
        content = _twice(files.cat_file, name)
    except FileNotFoundError:
        return
    except Exception as error:
        with _explained(address):
            raise error
    Path(path).write_bytes(content)


def _twice(function, *arguments):
    """Calls a function, and once more if it fails: stores may be busy."""
    try:
        return function(*arguments)
    except (FileNotFoundError, FileExistsError):
        raise
    except Exception:  # of the store's own kind
        time.sleep(_PAUSE_SECONDS)
    return function(*arguments)


def _files_of(address) -> tuple[Any, str]:
    """Returns the file system of an address, and the path in it."""
    protocol = address.partition("://")[0].lower()
    if "::" in address:
        raise UserError(
            f"{shown(address)}: with `::`, fsspec reads one address through "
            "another. Give one."
        )
    try:
        import fsspec
    except ImportError as error:
        raise UserError(
            f"{shown(address)}: {protocol}:// takes fsspec: {INSTALL}"
        ) from error
    try:
        return fsspec.core.url_to_fs(address)
    except ImportError as error:
        raise UserError(
            f"{shown(address)}: {first_line(error)} {INSTALL}"
        ) from error
    except ValueError as error:  # a protocol that there isn't
        raise UserError(f"{shown(address)}: {first_line(error)}") from error


@contextlib.contextmanager
def _explained(address, done="read"):
    """Turns what stores raise, each of its own kind, into one message."""
    try:
        yield
    except (UserError, MemoryError):
        raise
    except FileNotFoundError as error:
        if done == "read":
            raise UserError(f"There is no {shown(address)}.") from error
        raise UserError(  # no bucket
            f"{shown(address)} can't be {done}: {first_line(error)}"
        ) from error
    except PermissionError as error:
        raise UserError(
            f"{shown(address)}: no permission ({first_line(error)[:-1]}). "
            "Credentials are found as the store's own tools find them."
        ) from error
    except Exception as error:  # botocore's, aiohttp's, ... are no OSErrors
        raise UserError(
            f"{shown(address)} can't be {done}: {first_line(error)}"
        ) from error
