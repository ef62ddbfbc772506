"""Which photos predict.py was given: files, folders, globs, a list."""

import glob
import os
import re
import sys
from collections.abc import Iterator

from thaw.data.files import find_photos, is_photo
from thaw.data.pixels import EXTENSIONS
from thaw.errors import UserError

LIST = "-"  # names of photos on the standard input
_STDIN = 0  # file descriptor
_BLOCK = 1 << 16  # bytes read at a time, at most
_PART = 512  # photos


def find_given(arguments: list[str]) -> list[list[str] | str]:
    """Returns the paths that each argument stands for, or `LIST` for itself.

    Raises:
        UserError: If one stands for no photo.
    """
    return [
        LIST if argument == LIST else _find(argument) for argument in arguments
    ]


def count_given(given: list[list[str] | str]) -> int | None:
    """Returns the number of photos; None: the list is still to be read."""
    return None if LIST in given else sum(map(len, given))


def in_parts(given: list[list[str] | str]) -> Iterator[list[str]]:
    """Yields all paths in lists of at most 512; those of a list as they come.

    Args:
        given: Of `find_given`.
    """
    for paths in given:
        for block in _read_list() if paths == LIST else [paths]:
            for start in range(0, len(block), _PART):
                yield block[start : start + _PART]


def _find(argument):
    if os.path.isdir(argument):
        paths = find_photos(argument)
        if not paths:
            raise UserError(
                f"No photos under {argument} ({', '.join(EXTENSIONS)})."
            )
        return paths
    if os.path.isfile(argument):  # its name may hold [ ]
        return [argument]
    if not glob.has_magic(argument):
        raise UserError(f"No photo or folder {argument}.")
    paths = []
    for match in sorted(glob.glob(argument, recursive=True)):
        if os.path.isdir(match):
            paths += find_photos(match)
        elif is_photo(match):
            paths.append(match)
    if not paths:
        raise UserError(
            f"No photos match {argument} ({', '.join(EXTENSIONS)})."
        )
    return list(dict.fromkeys(paths))  # ** matches folders and what is in them


def _read_list():
    """Yields lists of the names on the standard input, as they come.

    Each is on a line of its own or, as `find -print0` writes them, ends in
    NUL: names may hold anything else.
    """
    if sys.stdin is None:
        raise UserError("-: the standard input is closed.")
    if sys.stdin.isatty():
        print("Names of photos, one on a line (end: Ctrl-D)", file=sys.stderr)
    rest, end = b"", None
    while block := os.read(_STDIN, _BLOCK):  # what is there, without waiting
        if end is None:
            end = rb"\0" if b"\0" in block else rb"[\n\0]"
        *names, rest = re.split(end, rest + block)
        if names := [os.fsdecode(name) for name in names if name]:
            yield names
    if rest:
        yield [os.fsdecode(rest)]
