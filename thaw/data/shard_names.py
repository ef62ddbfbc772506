"""Names of shards: tar files by a pattern, a folder or a prefix."""

import glob
import os
import re
from collections.abc import Iterable, Iterator

from thaw.data import remote
from thaw.data.archive_members import OPENERS
from thaw.data.files import is_hidden
from thaw.errors import UserError, shown

TAR_ENDINGS = tuple(x for x in OPENERS if x != ".zip")
_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")


def find_shards(data: str | os.PathLike) -> list[str]:
    """Returns the tar files that `data` stands for, [] if it is no such thing.

    Args:
        data: Path or address of a tar file; several as in WebDataset, e.g.
            `train-{0000..0099}.tar`, or as a glob; or a folder (an address
            ends with /) with tar files only.

    Raises:
        UserError: If a pattern stands for none.
    """
    data = os.fspath(data)
    if remote.is_remote(data) and data.endswith("/"):
        return only_tars(remote.list_files(data))
    if os.path.isdir(data):
        with os.scandir(data) as entries:
            return only_tars(x.path for x in entries if not is_hidden(x.name))
    if not data.lower().endswith(TAR_ENDINGS):
        return []
    expanded = list(_expand(data))
    if len(expanded) > 1 or remote.is_remote(data) or os.path.exists(data):
        return expanded
    found = sorted(glob.glob(data, recursive=True))
    if not found and glob.has_magic(data):
        raise UserError(f"No tar files match {shown(data)}.")
    return found


def only_tars(paths: Iterable[str]) -> list[str]:
    """Returns the sorted paths of tar files; [] if others are among them."""
    found = []
    for path in paths:
        if not path.lower().endswith(TAR_ENDINGS):
            return []
        found.append(path)
    return sorted(found)


def _expand(pattern) -> Iterator[str]:
    """Yields the names that a pattern with {0000..0099} stands for."""
    found = _RANGE.search(pattern)
    if found is None:
        yield pattern
        return
    first, last = found.groups()
    for number in range(int(first), int(last) + 1):
        start, end = pattern[: found.start()], pattern[found.end() :]
        yield from _expand(f"{start}{number:0{len(first)}d}{end}")
