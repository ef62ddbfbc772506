"""Paths of photos from files, folders and globs, in parts; no TensorFlow."""

import glob
import os
from collections.abc import Iterable, Iterator

from thaw.data.files import find_photos, is_photo
from thaw.data.pixels import EXTENSIONS
from thaw.errors import UserError

_PART = 512  # photos


def find_paths(argument: str | os.PathLike) -> list[str]:
    """Returns the paths of the photos that an argument stands for, sorted.

    Args:
        argument: Path of a photo, or of a folder with photos at any depth, or
            a glob, `**` included, that matches some of these.

    Raises:
        UserError: If there is none.
    """
    argument = os.fspath(argument)
    if os.path.isfile(argument):  # its name may hold [ ]
        return [argument]
    matches = [argument]
    if not os.path.isdir(argument):
        if not glob.has_magic(argument):
            raise UserError(f"No photo or folder {argument}.")
        matches = sorted(glob.glob(argument, recursive=True))
    paths = []
    for match in matches:
        if os.path.isdir(match):
            paths += find_photos(match)
        elif is_photo(match):
            paths.append(match)
    if not paths:
        where = "under" if matches == [argument] else "match"
        raise UserError(
            f"No photos {where} {argument} ({', '.join(EXTENSIONS)})."
        )
    return list(dict.fromkeys(paths))  # ** matches folders and their photos


def in_parts(lists: Iterable[list[str]]) -> Iterator[list[str]]:
    """Yields the paths in some lists again, at most 512 at a time."""
    for paths in lists:
        for start in range(0, len(paths), _PART):
            yield paths[start : start + _PART]
