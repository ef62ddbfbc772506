"""Photos of any source in parts, each of which is on this machine in its turn.

Those at addresses and in tar files are copied into a temporary folder, one
part ahead of the one that is used, and removed after it.
"""

import csv
import io
import itertools
import os
import posixpath
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from thaw.data import remote
from thaw.data.archive_members import ArchiveError
from thaw.data.files import is_photo
from thaw.data.shard_names import TAR_ENDINGS, find_shards, only_tars
from thaw.data.shards import read_photos
from thaw.errors import UserError, list_some, shown
from thaw.inference.photo_paths import find_paths, in_parts

_PART = 512  # photos
_TABLES = (".csv", ".tsv")
_OF_THIS_MACHINE = ("file:", "local:")
_COLUMNS = ("path", "url", "image", "file", "filename")


class StagedPart(list):
    """Names of some photos: addresses, or members of tar files.

    Attributes:
        paths: Paths of their files, as long as the part is used.
    """

    def __init__(self, names: Sequence[str], paths: list[str]):
        super().__init__(names)
        self.paths = paths


class Source(NamedTuple):
    """Photos that an argument stands for.

    Attributes:
        names: Their paths or addresses; where there are `shards`, ().
        shards: Tar files that hold them, or ().
    """

    names: Sequence[str] = ()
    shards: Sequence[str] = ()


def find_source(argument: str | os.PathLike) -> Source:
    """Returns the photos that an argument stands for.

    Args:
        argument: As of `find_paths`; tar files, as of `find_shards`; or the
            address of a photo, of a prefix, or of a table (.csv, .tsv) with a
            column of addresses or of paths from its folder on.

    Raises:
        UserError: If there is none.
    """
    argument = os.fspath(argument)
    if argument.lower().endswith(TAR_ENDINGS) or os.path.isdir(argument):
        if shards := find_shards(argument):
            return Source(shards=shards)
    if not remote.is_remote(argument):
        return Source(find_paths(argument))
    if argument.lower().endswith(_TABLES):
        return Source(_read_table(argument))
    if is_photo(argument):
        return Source([argument])
    found = remote.list_files(argument)
    if shards := only_tars(found):
        return Source(shards=shards)
    names = [x for x in found if is_photo(x)]
    if not names:
        raise UserError(f"No photos under {shown(argument)}.")
    return Source(names)


def join_sources(sources: Iterable[Source]) -> Source:
    """Returns all photos as one source, of which parts can be planned.

    Raises:
        UserError: If there are none, or only some are in tar files.
    """
    names, shards = [], []
    for source in sources:
        names += source.names
        shards += source.shards
    if names and shards:
        raise UserError(
            "`output`: part files are either of tar files, one of each, or of "
            "other photos. Predict one kind after the other, into folders of "
            "their own."
        )
    if not names and not shards:
        raise UserError("`photos` is empty.")
    return Source(names, shards)


def make_parts(sources: Iterable[Source]) -> Iterator[list[str]]:
    """Yields the names of all photos, at most 512 at a time.

    Args:
        sources: Of `find_source`.
    """
    for shards, some in itertools.groupby(sources, lambda x: x.shards):
        yield from in_parts([[name for x in some for name in x.names]])
        if shards:
            yield from _staged(_read_shards, shards)


def staged(parts: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    """Yields parts again; those with addresses as `StagedPart`s.

    Args:
        parts: Lists of paths or addresses; each is asked for when the one
            before is done, but one with addresses one earlier.
    """
    for is_to_stage, some in itertools.groupby(parts, _has_addresses):
        if is_to_stage:
            yield from _staged(_fetch, some)
        else:
            yield from some


def _has_addresses(part):
    is_staged = isinstance(part, StagedPart)
    return not is_staged and any(map(remote.is_remote, part))


def _read_table(address):
    """Returns the addresses in a table at an address."""
    delimiter = "\t" if address.lower().endswith(".tsv") else ","
    try:
        text = remote.read(address).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{shown(address)} is not a table in UTF-8.") from error
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns = [x for x in rows.fieldnames or () if x.lower() in _COLUMNS]
    if len(columns) != 1:
        raise UserError(
            f"{shown(address)}: expected one column of photos, "
            f"{', '.join(_COLUMNS)}. Received: "
            f"{list_some(list(rows.fieldnames or ())) or 'nothing'}"
        )
    folder = address.rpartition("/")[0]
    cells = [(row[columns[0]] or "").strip() for row in rows]
    if own := [x for x in cells if x.lower().startswith(_OF_THIS_MACHINE)]:
        raise UserError(
            f"{shown(address)} is refused: it names files of this machine, "
            f"{list_some(own)}."
        )
    return [
        x if remote.is_remote(x) else f"{folder}/{posixpath.normpath(x)}"
        for x in cells
        if x
    ]


def _staged(make: Callable, *sources) -> Iterator[StagedPart]:
    """Yields the parts that a function makes, one made ahead in a thread.

    Args:
        make: Function from a function that returns new folders, and `sources`,
            to an iterator of (part, its folder).
        *sources: Its other arguments.
    """
    with (
        tempfile.TemporaryDirectory(prefix="thaw-photos-") as place,
        ThreadPoolExecutor(1) as pool,
    ):
        made = make(lambda: Path(tempfile.mkdtemp(dir=place)), *sources)
        coming = pool.submit(next, made, None)
        while (found := coming.result()) is not None:
            coming = pool.submit(next, made, None)
            part, folder = found
            yield part
            shutil.rmtree(folder)


def _fetch(new_folder, parts):
    for names in parts:
        folder = new_folder()
        yield StagedPart(names, remote.fetch(names, folder)), folder


def _read_shards(new_folder, shards):
    folder, part = new_folder(), StagedPart([], [])
    number = 0

    def place(ending):
        return folder / f"{len(part):04d}{ending}"

    for shard in shards:
        for name, path in read_photos(shard, place):
            part.append(name)
            part.paths.append(path)
            number += 1
            if len(part) == _PART:
                yield part, folder
                folder, part = new_folder(), StagedPart([], [])
    if part:
        yield part, folder
    if not number:
        raise ArchiveError(f"No photos in {shown(shards[0])}.")
