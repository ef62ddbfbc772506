"""Photos in a folder: regular files, each of them once."""

import os
import stat
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from thaw.data.pixels import EXTENSIONS

# What systems leave in folders, besides names that begin with a dot.
_OF_SYSTEMS = {
    "thumbs.db",
    "desktop.ini",
    "__macosx",
    "@eadir",
    "$recycle.bin",
    "lost+found",
}

_ENDINGS = tuple(EXTENSIONS)


class Files(NamedTuple):
    """Sorted photos of a folder, and the number of other files by kind."""

    photos: list[str]
    skipped: Counter


def find_photos(folder: str | Path) -> list[str]:
    """Returns the sorted paths of all photos in `folder`, at any depth.

    Photos are regular files that end in one of `EXTENSIONS` (in any case).
    Hidden files and folders are skipped. Links are followed only inside
    `folder`; of several names of a file, the one that is no link counts, else
    the first. Nothing is opened.

    Raises:
        OSError: If a folder cannot be read.
    """
    return find_files([folder], folder)[0].photos


def find_files(folders: Sequence[str | Path], root: str | Path) -> list[Files]:
    """Returns the `Files` of each of some folders, as `find_photos` does.

    Args:
        folders: Paths of folders in `root`; a file is in one of them only.
        root: Links that lead out of this folder are not followed.
    """
    walk = _Walk(root)
    all_files = [Files([], Counter()) for _ in folders]
    for folder, files in zip(folders, all_files, strict=True):
        walk.add(os.fspath(folder), files)
    walk.follow_links(all_files)
    for files in all_files:
        files.photos.sort()
    return all_files


def is_photo(name: str) -> bool:
    """Returns whether a file of that name is taken for a photo."""
    return name.lower().endswith(_ENDINGS)


def visible_entries(folder: str | Path) -> list[os.DirEntry]:
    """Returns the entries of `folder` that aren't hidden (`is_hidden`)."""
    with os.scandir(folder) as entries:
        return [entry for entry in entries if not is_hidden(entry.name)]


def is_hidden(name: str) -> bool:
    """Returns whether a name is hidden, or one that systems leave behind."""
    return name.startswith(".") or name.lower() in _OF_SYSTEMS


def leads_out(path: str | Path, root: str | Path) -> bool:
    """Returns whether `path` is, by links, not in the folder `root`."""
    real_root = os.path.realpath(root)
    return not _is_in(os.path.realpath(path), real_root)


def describe_skipped(skipped: Counter) -> str:
    """Returns e.g. `.txt (3), dead links (1)`."""
    return ", ".join(f"{kind} ({n})" for kind, n in skipped.items())


def common_folder(paths: Sequence[str]) -> str:
    """Returns the innermost folder that all of `paths` are in."""
    folders = {os.path.dirname(path) for path in paths}  # few of many
    try:
        return os.path.commonpath(folders) or os.curdir
    except ValueError:  # some are absolute
        return os.path.commonpath([os.path.abspath(x) for x in folders])


class _Walk:
    def __init__(self, root):
        self._root = os.path.realpath(root)
        self._real_folders = {}  # of each folder walked, by its path
        self._walked = set()  # their real paths
        self._links = []  # (path, the `Files` it belongs to)
        self._known = None  # real paths of all photos, once links are followed

    def add(self, folder, files):
        """Adds what is in `folder`, at any depth, to `files`; no links yet."""
        real_folder = os.path.realpath(folder)
        if os.path.islink(folder) and real_folder != self._root:
            self._links.append((folder, files))
        else:
            self._add(folder, real_folder, files)

    def follow_links(self, all_files):
        """Adds what links lead to, where no other name does."""
        if not self._links:
            return
        self._known = {
            self._real_path(path)
            for files in all_files
            for path in files.photos
        }
        while self._links:
            links = sorted(self._links, key=lambda link: link[0])
            self._links = []
            for path, files in links:
                self._follow(path, files)

    def _add(self, folder, real_folder, files):
        folders = [(folder, real_folder)]
        while folders:
            folder, real_folder = folders.pop()
            if real_folder in self._walked:
                continue
            self._walked.add(real_folder)
            self._real_folders[folder] = real_folder
            for entry in visible_entries(folder):
                if entry.is_symlink():
                    self._links.append((entry.path, files))
                elif entry.is_dir(follow_symlinks=False):
                    real = os.path.join(real_folder, entry.name)
                    folders.append((entry.path, real))
                elif entry.is_file(follow_symlinks=False):
                    self._add_file(entry.path, files)
                else:
                    files.skipped["special files"] += 1

    def _add_file(self, path, files):
        if not is_photo(path):
            ending = os.path.splitext(path)[1].lower() or "no extension"
            files.skipped[ending] += 1
        elif self._known is None:
            files.photos.append(path)
        elif (real_path := self._real_path(path)) in self._known:
            files.skipped["links to photos that are there already"] += 1
        else:
            self._known.add(real_path)
            files.photos.append(path)

    def _follow(self, path, files):
        target = os.path.realpath(path)
        try:
            mode = os.stat(path).st_mode
        except OSError:  # leads nowhere, or in a circle
            files.skipped["dead links"] += 1
            return
        if not _is_in(target, self._root):
            files.skipped["links that lead out"] += 1
        elif stat.S_ISREG(mode):
            self._add_file(path, files)
        elif not stat.S_ISDIR(mode):
            files.skipped["special files"] += 1
        elif _is_in(os.path.realpath(os.path.dirname(path)), target):
            files.skipped["links to a folder around them"] += 1
        elif target in self._walked:
            files.skipped["links to folders that are there already"] += 1
        else:
            self._add(path, target, files)

    def _real_path(self, path):
        folder, name = os.path.split(path)
        if folder in self._real_folders and not os.path.islink(path):
            return os.path.join(self._real_folders[folder], name)
        return os.path.realpath(path)


def _is_in(real_path, real_folder):
    return os.path.commonpath([real_path, real_folder]) == real_folder
