"""Photos named on a command line, or in a list on the standard input."""

import itertools
import os
import re
import sys
from collections.abc import Iterator, Sequence

from thaw.errors import UserError
from thaw.inference.photo_parts import Source, find_source, make_parts
from thaw.inference.photo_paths import in_parts

LIST = "-"  # names of photos on the standard input
_STDIN = 0  # file descriptor
_BLOCK = 1 << 16  # bytes read at a time, at most


class KnownNames(list):
    """Names of photos that are known before any is read.

    Attributes:
        are_all: Whether there are no others, of a list or in tar files.
    """

    are_all = True


def find_photos(
    arguments: Sequence[str],
) -> tuple[KnownNames, Iterator[list[str]]]:
    """Returns the names that are known, and all in lists of at most 512.

    Args:
        arguments: Photos, folders, globs, tar files, addresses, or `-` for a
            list, which is read as it comes.

    Raises:
        UserError: If one stands for no photo.
    """
    sources = [None if x == LIST else find_source(x) for x in arguments]
    known = KnownNames(x for source in sources if source for x in source.names)
    known.are_all = not any(x is None or x.shards for x in sources)
    return known, _parts(sources)


def find_sources(arguments: Sequence[str]) -> list[Source]:
    """Returns the photos of each argument; a list is read to its end.

    Args, errors: As of `find_photos`.
    """
    return [
        Source(list(itertools.chain(*wait_for_first(_read_list()))))
        if x == LIST
        else find_source(x)
        for x in arguments
    ]


def _parts(sources):
    for source in sources:
        if source is None:
            yield from in_parts(_read_list())
        else:
            yield from make_parts([source])


def wait_for_first(parts: Iterator[list[str]]) -> Iterator[list[str]]:
    """Returns the same lists, of which the first has come.

    Raises:
        UserError: If there is none.
    """
    first = next(parts, None)
    if first is None:
        raise UserError("-: no paths on standard input.")
    return itertools.chain([first], parts)


def _read_list():
    """Yields lists of the names on the standard input, as they come.

    Each is on a line of its own or, as `find -print0` writes them, ends in
    NUL: names may hold anything else.
    """
    if sys.stdin is None:
        raise UserError("-: standard input is closed.")
    if sys.stdin.isatty():
        print("Names of photos, one on a line (end: Ctrl-D)", file=sys.stderr)
    rest, end = b"", None
    while block := os.read(_STDIN, _BLOCK):  # without waiting for more
        if end is None:
            end = rb"\0" if b"\0" in block else rb"[\n\0]"
        *names, rest = re.split(end, rest + block)
        if names := [os.fsdecode(name) for name in names if name]:
            yield names
    if rest:
        yield [os.fsdecode(rest)]
