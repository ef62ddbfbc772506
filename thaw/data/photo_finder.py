"""Photos that the cells of a table name, by their path or by their name."""

import os
import unicodedata
from pathlib import Path

from thaw.data.files import find_photos


class PhotoFinder:
    """Photos of a folder by what a table calls them.

    Every folder is listed once. Where no file has exactly the name, one counts
    that differs by case or Unicode form only, if it is the only one.
    """

    def __init__(self, folder: str | Path):
        """Reads nothing yet.

        Args:
            folder: Folder of the table.
        """
        self._folder = os.fspath(folder)
        self._listings = {}  # of folders by path; None: there is no such folder
        self._photos: _Names | None = None  # all in the folder, once needed

    def at_path(self, cell: str) -> list[str]:
        """Returns the file at a path from the folder on, [] if there is none.

        Args:
            cell: Path, with slashes or Windows's backslashes.
        """
        found = self._at(self.expected_path(cell))
        if not found and "\\" in cell:
            found = self._at(self.expected_path(cell.replace("\\", "/")))
        return found

    def named(self, cell: str) -> list[str]:
        """Returns the photos of that name anywhere in the folder.

        Args:
            cell: Name of a file, with or without its extension, and with or
                without the last folders that it is in.
        """
        if self._photos is None:
            self._photos = _Names()
            for path in map(os.path.normpath, find_photos(self._folder)):
                name = os.path.basename(path)
                self._photos.add(name, path)
                if (stem := os.path.splitext(name)[0]) != name:
                    self._photos.add(stem, path)
        *folders, name = cell.replace("\\", "/").split("/")
        found = self._photos.find(name)
        if not folders or not found:
            return found
        end = _folded("/".join(("", *(x for x in folders if x != "."))))
        return [
            path
            for path in found
            if _folded(f"/{Path(path).parent.as_posix()}").endswith(end)
        ]

    def expected_path(self, cell: str) -> str:
        """Returns the path from the folder on, whatever is there."""
        # So that a photo named in two ways is one.
        return os.path.normpath(os.path.join(self._folder, cell))

    def _at(self, path):
        folder, name = os.path.split(path)
        listing = self._list(folder or os.curdir)
        if listing is None:
            return []
        return [os.path.normpath(x) for x in listing.files.find(name)[:1]]

    def _list(self, folder):
        """Returns the `_Listing` of a folder, None if there is no such."""
        if folder not in self._listings:
            self._listings[folder] = self._read(folder)
        return self._listings[folder]

    def _read(self, folder):
        try:
            return _Listing(folder)
        except (OSError, ValueError):  # reported by the inspection
            around, name = os.path.split(folder)
        if around == folder:
            return None
        listing = self._list(around or os.curdir)
        found = listing and listing.folders.find(name)
        return self._list(found[0]) if found else None


class _Listing:
    """Files and folders in a folder."""

    def __init__(self, folder):
        self.files, self.folders = _Names(), _Names()
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file():
                    self.files.add(entry.name, entry.path)
                elif entry.is_dir():
                    self.folders.add(entry.name, entry.path)


class _Names:
    """Paths by name."""

    def __init__(self):
        self._exact = {}
        self._folded = None  # the same by `_folded` name, once needed

    def add(self, name, path):
        self._exact.setdefault(name, []).append(path)

    def find(self, name):
        """Returns the paths of a name; or of one that is nearly the same."""
        if name in self._exact:
            return self._exact[name]
        if self._folded is None:
            self._folded = {}
            for known in self._exact:
                self._folded.setdefault(_folded(known), []).append(known)
        near = self._folded.get(_folded(name), ())
        return self._exact[near[0]] if len(near) == 1 else []


def _folded(name):
    return unicodedata.normalize("NFC", name).casefold()
