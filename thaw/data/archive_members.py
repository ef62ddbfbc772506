"""Members of zip and tar files, read in sequence; hostile ones are refused."""

import bz2
import contextlib
import functools
import gzip
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO

from thaw.data import remote
from thaw.errors import UserError

OPENERS = {  # of the stream in which members are, by ending
    ".zip": None,
    ".tar": open,
    ".tar.gz": gzip.open,
    ".tgz": gzip.open,
    ".tar.bz2": bz2.open,
    ".tar.xz": lzma.open,
}
CHUNK = 1 << 20  # bytes read at a time
_MOST_FILES = 2_000_000
_MOST_BYTES = 200 << 30  # in all, unpacked
_LARGEST_RATIO = 200  # unpacked over packed; photos are packed already
_LEAST_BYTES = 4096  # what a member counts, whatever is in it


class ArchiveError(UserError):
    """An archive that is damaged, or is refused for what is in it."""


def ending_of(archive: str) -> str:
    """Returns the ending of the name of an archive, of those in `OPENERS`."""
    name = archive.lower()
    return next(x for x in reversed(OPENERS) if name.endswith(x))


def read_members(
    archive: str, names: Sequence[str] | None = None
) -> Iterator[tuple[Path, Callable[[], IO[bytes]]]]:
    """Yields path and opener of each file in an archive, in its order.

    Each is to be read before the next. Paths are relative and stay inside: a
    member with an absolute name or `..`, a link or a device is refused, and so
    is an archive that expands to too much data.

    Args:
        archive: zip or tar file, or the address of a tar file.
        names: Names of the members of a zip file.

    Raises:
        ArchiveError: If something is refused. What a damaged archive raises
            `errors_explained` turns into one.
    """
    packed = _packed_bytes(archive)
    most = min(_MOST_BYTES, _LARGEST_RATIO * packed + CHUNK)
    files = unpacked = 0
    for name, size, open_member in _members(archive, names, most):
        files += 1
        unpacked += _LEAST_BYTES + size
        if files > _MOST_FILES or unpacked > most:
            raise ArchiveError(
                f"{archive} expands to too much data (at "
                f"{name!r}: {files} files, {unpacked / 1e9:.1f} GB). Unpack it "
                "yourself, and give the folder."
            )
        if open_member is not None:  # else a folder
            yield _safe_name(archive, name), open_member


@contextlib.contextmanager
def errors_explained(archive: str) -> Iterator[None]:
    """Turns what a damaged archive raises into an `ArchiveError`."""
    try:
        yield
    except UserError:
        raise
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        NotImplementedError,
        RuntimeError,  # a password is needed
        ValueError,  # a name that is none
        OSError,  # of gzip and bz2, where it is not the disk's
    ) as error:
        if getattr(error, "errno", None) is not None:
            raise
        # tarfile tells of all kinds of compression it tried, of none last.
        reason = (str(error).splitlines() or [type(error).__name__])[-1]
        reason = reason.removeprefix("- method tar: ")
        raise ArchiveError(f"{archive} cannot be unpacked: {reason}") from error


def _packed_bytes(archive):
    if not remote.is_remote(archive):
        return os.stat(archive).st_size
    return remote.version(archive)[0] or _MOST_BYTES  # some servers don't tell


@contextlib.contextmanager
def _open_stream(archive):
    """Yields the stream in which the members of a tar file are."""
    opener = OPENERS[ending_of(archive)]
    with contextlib.ExitStack() as stack:
        if not remote.is_remote(archive):
            yield stack.enter_context(opener(archive, "rb"))
            return
        file = stack.enter_context(remote.opened(archive))
        if opener is not open:
            file = stack.enter_context(opener(file, "rb"))
        yield file


def _members(archive, names, most):
    """Yields (name, bytes, function that opens it or None) of each member.

    Those of a ZIP file have the given `names`.
    """
    if ending_of(archive) == ".zip":
        with zipfile.ZipFile(archive) as opened:
            for info, name in zip(opened.infolist(), names, strict=True):
                kind = stat.S_IFMT(info.external_attr >> 16)
                open_member = functools.partial(opened.open, info)
                if info.is_dir():
                    open_member = None
                elif kind not in (0, stat.S_IFREG):
                    raise _refused(archive, name, "is no plain file")
                yield name, info.file_size, open_member
        return
    with _open_stream(archive) as stream:
        stream = _Bounded(stream, most)
        with tarfile.open(fileobj=stream) as opened:
            for info in opened:
                open_member = functools.partial(opened.extractfile, info)
                if info.isdir():
                    open_member = None
                elif not info.isreg():
                    raise _refused(archive, info.name, "is no plain file")
                yield info.name, info.size, open_member
            # tarfile takes a header that is none for the end.
            stream.seek(opened.offset)
            if stream.read(tarfile.BLOCKSIZE).strip(b"\0"):
                raise tarfile.ReadError("it is damaged in the middle")
            while stream.read(CHUNK):  # to the checksum at the end
                pass


class _Bounded:
    """A stream of which tarfile may read so much only, in all and at a time.

    It reads a header whole, whatever size that claims.
    """

    def __init__(self, stream, most):
        self._stream = stream
        self._left = 2 * most
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size):
        if size > 2 * CHUNK:
            raise tarfile.ReadError(f"a header of {size} bytes")
        contents = self._stream.read(size)
        self._left -= len(contents)
        if self._left < 0:
            raise tarfile.ReadError("it expands to too much data")
        return contents


def _safe_name(archive, name):
    path = PurePosixPath(name.replace("\\", "/"))
    if not path.parts:
        raise _refused(archive, name, "has no name")
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise _refused(archive, name, "would be written elsewhere")
    return Path(*path.parts)


def _refused(archive, name, why):
    return ArchiveError(
        f"{archive} is refused: its member {name!r} {why}. Unpack it yourself "
        "if you trust it, and give the folder."
    )
