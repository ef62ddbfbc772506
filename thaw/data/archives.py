"""Photos in a zip or tar file: unpacked once, into the cache."""

import hashlib
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from thaw.atomic import cached_folder
from thaw.data import remote
from thaw.data.archive_members import (
    CHUNK,
    OPENERS,
    ending_of,
    errors_explained,
    read_members,
)
from thaw.data.zip_names import member_names
from thaw.errors import UserError
from thaw.progress import say


def is_archive(data: str | Path) -> bool:
    """Returns whether `data` is meant as an archive, by its name."""
    name = str(data).lower()
    return name.endswith(tuple(OPENERS)) and not os.path.isdir(data)


def unpack(
    archive: str | Path, cache_dir: str | Path, labels_in_names: bool = False
) -> Path:
    """Returns a folder with what an archive holds.

    Members are written under names of their own folder only: one with an
    absolute name or `..`, a link or a device is refused, and so is what grows
    beyond reason.

    Args:
        archive: zip or tar file, packed or not; of a tar file also the
            address.
        cache_dir: Folder to unpack into, under a name that tells the file,
            its size and time; made if missing.
        labels_in_names: Whether names of files matter as those of folders do.

    Raises:
        UserError: If it is missing, damaged or refused, or names may be in
            several encodings.
    """
    archive = os.fspath(archive)
    facts = facts_of(archive)
    note, names = "", None
    if ending_of(archive) == ".zip":
        with errors_explained(archive), zipfile.ZipFile(archive) as opened:
            names, encoding = member_names(opened, labels_in_names)
        if encoding is not None:
            facts += f"\0{encoding}"
            note = f" (names read as {encoding})"

    def make(folder):
        say(f"Unpacking {archive}{note}")
        with errors_explained(archive):
            for name, open_member in read_members(archive, names):
                write_member(open_member, folder / name)

    return cached_folder(folder_of(cache_dir, facts), make)


def facts_of(archive: str) -> str:
    """Returns what tells an archive from others, and from older ones.

    Raises:
        UserError: If it is missing.
    """
    if remote.is_remote(archive):
        size, version = remote.version(archive)
        return f"{archive}\0{size}\0{version}"
    if not os.path.isfile(archive):
        raise UserError(f"There is no file {archive}.")
    entry = os.stat(archive)
    real = os.path.realpath(archive)
    return f"{real}\0{entry.st_size}\0{entry.st_mtime_ns}"


def folder_of(cache_dir: str | Path, facts: str) -> Path:
    """Returns the folder in the cache for what some facts tell."""
    digest = hashlib.sha256(os.fsencode(facts)).hexdigest()[:16]
    return Path(cache_dir) / "unpacked" / digest


def write_member(open_member: Callable[[], IO[bytes]], target: Path) -> None:
    """Writes a file of `read_members`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with open_member() as reader, open(target, "wb") as writer:
        shutil.copyfileobj(reader, writer, CHUNK)  # the size told at most
