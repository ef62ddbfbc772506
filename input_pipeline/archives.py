"""Photos in a zip or tar file: unpacked once, into the cache."""

import contextlib
import hashlib
import os
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from errors import UserError
from input_pipeline.cached_folder import cached_folder
from input_pipeline.files import is_hidden
from input_pipeline.tables import is_table

_ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_MOST_FILES = 2_000_000
_MOST_BYTES = 200 << 30  # in all, unpacked
_LARGEST_RATIO = 200  # unpacked over packed; photos are packed already
_CHUNK = 1 << 20


def is_archive(data: str | Path) -> bool:
    """Returns whether `data` is meant as an archive, by its name."""
    return str(data).lower().endswith(_ENDINGS)


def unpack(archive: str | Path, cache_dir: str | Path) -> Path:
    """Returns the folder, or the table, that an archive holds.

    Members are written under names of their own folder only: one with an
    absolute name or `..`, a link or a device is refused, and so is what grows
    beyond reason.

    Args:
        archive: zip or tar file, packed or not.
        cache_dir: Folder to unpack into, under a name that tells the file,
            its size and time; made if missing.

    Raises:
        UserError: If it is missing, damaged or refused.
    """
    archive = Path(archive)
    if not archive.is_file():
        raise UserError(f"--data: there is no file {archive}.")
    found = archive.stat()
    facts = f"{archive.resolve()}\0{found.st_size}\0{found.st_mtime_ns}"
    name = hashlib.sha256(os.fsencode(facts)).hexdigest()[:16]

    def make(folder):
        print(f"Unpacking {archive}")
        try:
            _unpack(archive, folder)
        except (
            tarfile.TarError,
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,
            RuntimeError,  # a password is needed
        ) as error:
            raise UserError(f"{archive} cannot be unpacked: {error}") from error

    return _root(cached_folder(Path(cache_dir) / "unpacked" / name, make))


def _unpack(archive, folder):
    packed = archive.stat().st_size
    files = written = 0
    for name, source in _members(archive):
        target = folder / _safe_name(archive, name)
        files += 1
        target.parent.mkdir(parents=True, exist_ok=True)
        with source() as reader, open(target, "wb") as writer:
            while chunk := reader.read(_CHUNK):
                written += len(chunk)
                if (
                    files > _MOST_FILES
                    or written > _MOST_BYTES
                    or written > _LARGEST_RATIO * packed + _CHUNK
                ):
                    raise UserError(
                        f"{archive} grows beyond reason when it is unpacked "
                        f"(at {name}: {files} files, {written / 1e9:.1f} GB). "
                        "Unpack it yourself, and give the folder."
                    )
                writer.write(chunk)


def _members(archive):
    """Yields (name, function that opens it) of each regular file."""
    with contextlib.ExitStack() as stack:
        if str(archive).lower().endswith(".zip"):
            opened = stack.enter_context(zipfile.ZipFile(archive))
            for info in opened.infolist():
                mode = info.external_attr >> 16
                if info.is_dir():
                    continue
                if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                    raise _refused(archive, info.filename, "is no plain file")
                yield info.filename, lambda info=info: opened.open(info)
        else:
            opened = stack.enter_context(tarfile.open(archive))
            for info in opened:
                if info.isdir():
                    continue
                if not info.isreg():
                    raise _refused(archive, info.name, "is no plain file")
                yield info.name, lambda info=info: opened.extractfile(info)


def _safe_name(archive, name):
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise _refused(archive, name, "would be written elsewhere")
    return Path(*path.parts)


def _refused(archive, name, why):
    return UserError(
        f"{archive} is refused: its member {name!r} {why}. Unpack it yourself "
        "if you trust it, and give the folder."
    )


def _root(folder):
    """Returns the only folder or table at the top, or all of it."""
    while True:
        entries = [x for x in folder.iterdir() if not is_hidden(x.name)]
        tables = [entry for entry in entries if is_table(entry)]
        if len(tables) == 1:
            return tables[0]
        folders = [entry for entry in entries if entry.is_dir()]
        if len(folders) != 1 or any(entry.is_file() for entry in entries):
            return folder
        folder = folders[0]
