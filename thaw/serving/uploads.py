"""From a request to photos in files: its body, as it is or as a form.

A body goes to a file block by block, and of a form each photo to a file of its
own, so that memory does not grow with it. What the client calls a photo is
never a path here.
"""

import mmap
import os
from email import message_from_string
from email.message import Message
from typing import BinaryIO, NamedTuple

from thaw.serving.guard import Refused

_BLOCK = 1 << 16  # bytes
_LONGEST_HEAD = 1 << 12  # bytes, of a part of a form
_MOST_PARTS = 1000


class Upload(NamedTuple):
    """A photo that was sent: its file, and its client's name for it or None."""

    path: str
    name: str | None


def length_of(headers: Message, most_bytes: int) -> int:
    """Returns how many bytes the body of a request has.

    Raises:
        Refused: If that is not said, or is more than `most_bytes`.
    """
    lengths = set(headers.get_all("Content-Length", []))
    if "Transfer-Encoding" in headers or not lengths:
        raise Refused(411, "Expected the header Content-Length, not chunks.")
    length = lengths.pop()
    if lengths or not (length.isascii() and length.isdigit()):
        raise Refused(400, "Content-Length must be one number.")
    # int() refuses what has very many digits.
    if len(length) > 20 or int(length) > most_bytes:
        raise Refused(
            413,
            "Too large: at most "
            f"{most_bytes / 1e6:g} MB can be sent (--max_megabytes).",
        )
    return int(length)


def receive(
    source: BinaryIO, length: int, headers: Message, folder: str
) -> Upload | list[Upload]:
    """Returns the `Upload` of a body, or a list of those of a form.

    Args:
        source: Where the body is read from.
        length: Its bytes.
        headers: Of the request; `Content-Type: multipart/form-data` is a form.
        folder: Empty folder for the files.

    Raises:
        Refused: If the body ends early, or is a form without photos.
    """
    path = os.path.join(folder, "body")
    with open(path, "w+b") as body:
        while length:
            block = source.read1(min(length, _BLOCK))
            if not block:
                raise Refused(400, "The upload ended early.")
            body.write(block)
            length -= len(block)
        body.flush()
        if headers.get_content_type() != "multipart/form-data":
            return Upload(path, None)
        boundary = (headers.get_boundary() or "").encode("ascii", "replace")
        uploads = []
        if boundary and body.tell():  # nothing cannot be mapped
            with mmap.mmap(body.fileno(), 0, access=mmap.ACCESS_READ) as form:
                uploads = _split(form, b"\r\n--" + boundary, folder)
    if not uploads:
        raise Refused(
            400, "No photo in the form. Expected e.g. curl -F photo=@cat.jpg"
        )
    return uploads


def _split(form, mark, folder):
    """Writes what is between marks to files, if it is one (RFC 7578)."""
    uploads = []
    first = 0 if form[: len(mark) - 2] == mark[2:] else form.find(mark) + 2
    place = first + len(mark) - 2
    for _ in range(_MOST_PARTS if first != 1 else 0):
        if form[place : place + 2] == b"--":
            return uploads
        start = form.find(b"\r\n\r\n", place, place + _LONGEST_HEAD) + 4
        end = form.find(mark, start)
        if start < 4 or end < 0:
            break
        name = _file_name(form[place:start])
        if name:
            path = os.path.join(folder, str(len(uploads)))
            with open(path, "wb") as file, memoryview(form) as view:
                with view[start:end] as photo:
                    file.write(photo)
            uploads.append(Upload(path, name))
        place = end + len(mark)
    raise Refused(400, "The form is damaged, or has too many parts.")


def _file_name(head):
    """Returns the name of the file in a part of a form; None: it is none."""
    text = head.decode("utf-8", "replace").lstrip()
    try:
        return message_from_string(text).get_filename()
    except ValueError:  # an odd charset
        return None
