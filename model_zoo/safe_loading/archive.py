"""The zip archive of a `.keras` file, checked before anything is read from it.

Keras 3 writes three members, each in one piece after the other; what differs
from that was not written by it. No Keras is needed here.
"""

import contextlib
import json
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from model_zoo.safe_loading.by_name import BACKBONE_WANTED, check_plain_file
from thaw.errors import UserError

METADATA, CONFIG = "metadata.json", "config.json"
WEIGHTS = "model.weights.h5"
# The most bytes of each. The largest config of keras.applications takes one
# million. Beyond 2 GB there are other headers; the largest model has 1.4.
_MOST_BYTES = {
    METADATA: 1 << 24,
    CONFIG: 1 << 23,
    WEIGHTS: (1 << 31) - 1,
}
_LARGEST_RATIO = 100  # unpacked over packed; Keras packs nothing
_FREE_BYTES = 1 << 20  # which a member may have whatever its ratio
_MOST_DIRECTORY = 4096  # bytes, for three names
_LOCAL = struct.Struct("<4s5H3L2H")  # header before each member
_END = struct.Struct("<4s4H2LH")  # at the end of the file
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_config(path: str | Path, wanted: str = BACKBONE_WANTED) -> dict:
    """Returns config.json of a `.keras` file, of which nothing is believed.

    Args:
        path: Path of the file.
        wanted: What is expected, for the message.

    Raises:
        UserError: If it is not what Keras 3 writes.
    """
    return _read_keys(path, wanted, CONFIG)


def read_metadata(path: str | Path, wanted: str = BACKBONE_WANTED) -> dict:
    """Returns metadata.json of a `.keras` file; as above."""
    return _read_keys(path, wanted, METADATA)


def read_weights(path: str | Path, wanted: str = BACKBONE_WANTED) -> bytes:
    """Returns model.weights.h5 of a `.keras` file; arguments as above."""
    with _opened(path, wanted) as archive:
        return archive.read(WEIGHTS)


def _read_keys(path, wanted, member):
    with _opened(path, wanted) as archive:
        content = json.loads(archive.read(member))
    if not isinstance(content, dict):
        raise _refused(path, f"its {member} is not that of a model")
    return content


@contextlib.contextmanager
def _opened(path, wanted) -> Iterator[zipfile.ZipFile]:
    """Yields the archive when it has been checked; damage becomes a message."""
    check_plain_file(path, wanted)
    try:
        with open(path, "rb") as file:
            directory = _check_end(path, file)
            with zipfile.ZipFile(file) as archive:
                if archive.start_dir != directory:
                    raise _refused(path, "its directory is in two places")
                _check_members(path, archive.infolist())
                _check_places(path, file, archive.infolist(), directory)
                yield archive
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RecursionError,  # of JSON
        ValueError,
    ) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(
            f"Cannot open {path} as a Keras model ({type(error).__name__}: "
            f"{error}). Is the file complete? Expected {wanted}."
        ) from error


def _check_end(path, file):
    """Returns where the directory of the members begins, before it is read."""
    size = file.seek(0, os.SEEK_END)
    if size < _END.size:
        raise zipfile.BadZipFile("it is too short")
    file.seek(-_END.size, os.SEEK_END)
    mark, *_, length, begin, comment = _END.unpack(file.read())
    if mark != b"PK\x05\x06" or comment:
        raise zipfile.BadZipFile("it does not end as a zip archive")
    if length > _MOST_DIRECTORY or begin + length + _END.size != size:
        raise _refused(path, "there are bytes before, between or after it")
    return begin


def _check_members(path, members):
    names = [member.orig_filename for member in members]
    if sorted(names) != sorted(_MOST_BYTES):
        raise _refused(
            path,
            f"its members are {', '.join(map(ascii, names))[:200]}",
        )
    for member in members:
        name = member.filename
        mode = stat.S_IFMT(member.external_attr >> 16)
        if mode not in (0, stat.S_IFREG) or member.external_attr & 0x10:
            raise _refused(path, f"its {name} is no plain file")
        if member.flag_bits & 0x1:
            raise _refused(path, f"its {name} is encrypted")
        if member.compress_type not in _PACKINGS:
            raise _refused(path, f"its {name} is packed in an odd way")
        most = _LARGEST_RATIO * member.compress_size + _FREE_BYTES
        if member.file_size > min(_MOST_BYTES[name], most):
            raise _refused(
                path,
                f"its {name} grows to {member.file_size:,} bytes, out of "
                f"{member.compress_size:,}",
            )


def _check_places(path, file, members, directory):
    """Refuses members that are not one after the other, or said twice."""
    end = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        if member.header_offset != end:
            raise _refused(path, "there are bytes between its members")
        file.seek(member.header_offset)
        mark, _, flags, packing, *_, packed, size, name, extra = _LOCAL.unpack(
            file.read(_LOCAL.size)
        )
        expected = (b"PK\x03\x04", 0, member.compress_type)
        if (
            (mark, flags & ~0x806, packing) != expected  # UTF-8, how hard
            or (packed, size) != (member.compress_size, member.file_size)
            or file.read(name) != member.orig_filename.encode()
        ):
            raise _refused(path, f"it says of {member.filename} two things")
        end += _LOCAL.size + name + extra + packed
    if end != directory:
        raise _refused(path, "its members do not fill it")


def _refused(path, reason):
    return UserError(
        f"{path} is refused: {reason}. A .keras file of Keras 3 holds "
        "metadata.json, config.json and model.weights.h5, and nothing else."
    )
