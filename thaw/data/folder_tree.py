"""Tree of a folder: its folders with counts of photos; no file is opened."""

import contextlib
import dataclasses
import os
import stat
import unicodedata
from collections.abc import Collection
from pathlib import Path

from thaw.data.files import is_photo, leads_out, visible_entries
from thaw.data.table_file import is_table


@dataclasses.dataclass(eq=False)
class Folder:
    """A folder and what is in it.

    Attributes:
        path: Its path.
        photos: Number of photos that lie directly in it.
        total: Number of photos at any depth.
        tables: Paths of the tables that lie directly in it, sorted.
        others: Number of other files that lie directly in it.
        folders: The folders in it, sorted by name; of a folder with several
            names by links, one holds its photos.
    """

    path: str
    photos: int = 0
    total: int = 0
    tables: list[str] = dataclasses.field(default_factory=list)
    others: int = 0
    folders: list["Folder"] = dataclasses.field(default_factory=list)

    @property
    def name(self) -> str:
        """The last part of the path, in Unicode form NFC."""
        return unicodedata.normalize("NFC", os.path.basename(self.path))

    def with_photos(self) -> list["Folder"]:
        """Returns the folders in it that hold photos at any depth."""
        return [folder for folder in self.folders if folder.total]

    def names(self) -> set[str]:
        """Returns the names of these."""
        return {folder.name for folder in self.with_photos()}


def read_tree(root: str | Path, without: Collection[str | Path] = ()) -> Folder:
    """Returns the tree of a folder.

    As in `files.find_files`, hidden files are left out, and links followed
    inside `root` only.

    Args:
        root: Path of the folder.
        without: Paths of folders in it to leave out.
    """
    return _Reader(root, without).tree


class _Reader:
    def __init__(self, root, without):
        self._root = os.fspath(root)
        self._walked = set(map(os.path.realpath, without))
        self._links = []  # (path, the `Folder` it lies in)
        self._parents = []  # (folder, the one it lies in), outer ones first
        self.tree = Folder(self._root)
        self._walk(self.tree, os.path.realpath(self._root))
        while self._links:
            links = sorted(self._links, key=lambda link: link[0])
            self._links = []
            for path, folder in links:
                self._follow(path, folder)
        self._finish()

    def _walk(self, folder, real_path):
        self._walked.add(real_path)
        rest = [(folder, real_path)]
        while rest:
            folder, real_path = rest.pop()
            # A folder that can't be read is an error where it is used.
            with contextlib.suppress(PermissionError):
                for entry in visible_entries(folder.path):
                    if entry.is_symlink():
                        self._links.append((entry.path, folder))
                    elif entry.is_file(follow_symlinks=False):
                        self._count(entry.path, folder)
                    elif entry.is_dir(follow_symlinks=False):
                        real = os.path.join(real_path, entry.name)
                        if real not in self._walked:
                            self._walked.add(real)
                            rest.append((self._add(entry.path, folder), real))

    def _add(self, path, parent):
        folder = Folder(path)
        parent.folders.append(folder)
        self._parents.append((folder, parent))
        return folder

    @staticmethod
    def _count(path, folder):
        if is_photo(path):
            folder.photos += 1
        elif is_table(path):
            folder.tables.append(path)
        else:
            folder.others += 1

    def _follow(self, path, folder):
        try:
            mode = os.stat(path).st_mode
        except OSError:  # leads nowhere, or in a circle
            return
        if stat.S_ISDIR(mode):
            target = os.path.realpath(path)
            linked = self._add(path, folder)  # empty if it is there already
            if target not in self._walked and not leads_out(path, self._root):
                self._walk(linked, target)
        elif stat.S_ISREG(mode):
            self._count(path, folder)

    def _finish(self):
        self.tree.total = self.tree.photos
        for folder, _ in self._parents:
            folder.total = folder.photos
        for folder, parent in reversed(self._parents):
            parent.total += folder.total
        for folder in [self.tree, *(folder for folder, _ in self._parents)]:
            folder.folders.sort(key=lambda inner: inner.name)
            folder.tables.sort()
