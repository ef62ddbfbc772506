"""Photos in a zip or tar file: unpacked once, into the cache."""

import bz2
import contextlib
import functools
import gzip
import hashlib
import lzma
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from thaw.atomic import cached_folder
from thaw.data.zip_names import member_names
from thaw.errors import UserError
from thaw.progress import say

_OPENERS = {  # of the stream in which members are, by ending
    ".zip": None,
    ".tar": open,
    ".tar.gz": gzip.open,
    ".tgz": gzip.open,
    ".tar.bz2": bz2.open,
    ".tar.xz": lzma.open,
}
_MOST_FILES = 2_000_000
_MOST_BYTES = 200 << 30  # in all, unpacked
_LARGEST_RATIO = 200  # unpacked over packed; photos are packed already
_LEAST_BYTES = 4096  # what a member counts, whatever is in it
_CHUNK = 1 << 20


def is_archive(data: str | Path) -> bool:
    """Returns whether `data` is meant as an archive, by its name."""
    name = str(data).lower()
    return name.endswith(tuple(_OPENERS)) and not os.path.isdir(data)


def unpack(
    archive: str | Path, cache_dir: str | Path, labels_in_names: bool = False
) -> Path:
    """Returns a folder with what an archive holds.

    Members are written under names of their own folder only: one with an
    absolute name or `..`, a link or a device is refused, and so is what grows
    beyond reason.

    Args:
        archive: zip or tar file, packed or not.
        cache_dir: Folder to unpack into, under a name that tells the file,
            its size and time; made if missing.
        labels_in_names: Whether names of files matter as those of folders do.

    Raises:
        UserError: If it is missing, damaged or refused, or names may be in
            several encodings.
    """
    archive = Path(archive)
    if not archive.is_file():
        raise UserError(f"There is no file {archive}.")
    entry = archive.stat()
    facts = f"{archive.resolve()}\0{entry.st_size}\0{entry.st_mtime_ns}"
    note, names = "", None
    if _ending(archive) == ".zip":
        with _errors_explained(archive), zipfile.ZipFile(archive) as opened:
            names, encoding = member_names(opened, labels_in_names)
        if encoding is not None:
            facts += f"\0{encoding}"
            note = f" (names read as {encoding})"
    digest = hashlib.sha256(os.fsencode(facts)).hexdigest()[:16]

    def make(folder):
        say(f"Unpacking {archive}{note}")
        with _errors_explained(archive):
            _unpack(archive, folder, names)

    return cached_folder(Path(cache_dir) / "unpacked" / digest, make)


def _ending(archive):
    name = str(archive).lower()
    return next(x for x in reversed(_OPENERS) if name.endswith(x))


@contextlib.contextmanager
def _errors_explained(archive):
    """Turns what a damaged archive raises into a `UserError`."""
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
        raise UserError(f"{archive} cannot be unpacked: {error}") from error


def _unpack(archive, folder, names):
    packed = archive.stat().st_size
    most = min(_MOST_BYTES, _LARGEST_RATIO * packed + _CHUNK)
    files = unpacked = 0
    for name, size, open_member in _members(archive, names, most):
        files += 1
        unpacked += _LEAST_BYTES + size
        if files > _MOST_FILES or unpacked > most:
            raise UserError(
                f"{archive} expands to too much data (at {name!r}: {files} "
                f"files, {unpacked / 1e9:.1f} GB). Unpack it yourself, and "
                "give the folder."
            )
        if open_member is None:  # a folder
            continue
        target = folder / _safe_name(archive, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        with open_member() as reader, open(target, "wb") as writer:
            shutil.copyfileobj(reader, writer, _CHUNK)  # `size` at most


def _members(archive, names, most):
    """Yields (name, bytes, function that opens it or None) of each member.

    Those of a ZIP file have the given `names`.
    """
    ending = _ending(archive)
    if ending == ".zip":
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
    with _OPENERS[ending](archive, "rb") as stream:
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
            while stream.read(_CHUNK):  # to the checksum at the end
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
        if size > 2 * _CHUNK:
            raise tarfile.ReadError(f"a header of {size} bytes")
        contents = self._stream.read(size)
        self._left -= len(contents)
        if self._left < 0:
            raise tarfile.ReadError("it grows beyond reason")
        return contents


def _safe_name(archive, name):
    path = PurePosixPath(name.replace("\\", "/"))
    if not path.parts:
        raise _refused(archive, name, "has no name")
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise _refused(archive, name, "would be written elsewhere")
    return Path(*path.parts)


def _refused(archive, name, why):
    return UserError(
        f"{archive} is refused: its member {name!r} {why}. Unpack it yourself "
        "if you trust it, and give the folder."
    )
