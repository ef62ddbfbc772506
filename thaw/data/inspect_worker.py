"""A process that looks at photos, so that one which kills it costs only that.

    python -m thaw.data.inspect_worker MAX_PIXELS

reads names of files from its standard input, each after its length in four
bytes, and answers each with a line of JSON, the fields of `Found`.
"""

import hashlib
import json
import os
import signal
import stat
import struct
import sys
from typing import NamedTuple

from PIL import UnidentifiedImageError

from thaw.data import pixels

SECONDS = 60  # for one photo
READY = b"ready\n"  # the first line of its output
_MEMORY = 4 << 30  # bytes of address space, for one photo at a time
TOO_MANY = "more pixels than --max_pixels"
_HEIC = (b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1")  # its brands
_LARGEST_FILE = 1 << 30  # bytes


class Found(NamedTuple):
    """What was found in a file: what it holds, or why it cannot be used.

    Attributes:
        reason: Why it cannot be used; None: it can.
        digest: BLAKE2b hash of the file, 32 hexadecimal digits; None where it
            was not read.
        format: One of the values of `pixels.EXTENSIONS`.
        width, height: In pixels, before it is turned.
        plain: `pixels.is_plain`.
        animated: `pixels.is_animated`.
        look_hash, grey, blank: Of `pixels.Look`.
    """

    reason: str | None = None
    digest: str | None = None
    format: str | None = None
    width: int = 0
    height: int = 0
    plain: bool = False
    animated: bool = False
    look_hash: int | None = None
    grey: bool = False
    blank: bool = False


def look_at(path: bytes | str, max_pixels: int) -> Found:
    """Returns what is found in one file, decoding all of it.

    Args:
        path: Path of the file.
        max_pixels: More than that are not decoded.
    """
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            return Found("not a file")
        if found.st_size > _LARGEST_FILE:
            return Found(f"too large a file ({found.st_size / 1e9:.1f} GB)")
        with open(path, "rb") as file:
            contents = file.read()
    except OSError as error:
        return Found(error.strerror)
    digest = hashlib.blake2b(contents, digest_size=16).hexdigest()
    if not contents:
        return Found("empty", digest)
    try:
        with pixels.open_photo(contents) as image:
            width, height = image.size
            if width * height > max_pixels:
                reason = f"{TOO_MANY} ({width} x {height})"
                return Found(reason, digest, width=width, height=height)
            image_format = pixels.format_of(image)
            plain = pixels.is_plain(image)
            animated = pixels.is_animated(image)
        look = pixels.look_at(pixels.decode(contents))
    except UnidentifiedImageError:
        is_heic = contents[4:8] == b"ftyp" and contents[8:12] in _HEIC
        if is_heic and "HEIF" not in pixels.FORMATS:
            return Found("HEIC, which needs: pip install pillow-heif")
        return Found("not an image", digest)
    except MemoryError:
        return Found("takes too much memory")
    except Exception as error:  # of damaged files Pillow raises anything
        why = str(error) or type(error).__name__
        return Found(f"damaged ({why})", digest)
    return Found(
        digest=digest,
        format=image_format,
        width=width,
        height=height,
        plain=plain,
        animated=animated,
        look_hash=look.hash,
        grey=look.is_grey,
        blank=look.is_blank,
    )


def main() -> None:
    """Answers until the standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    if sys.platform == "linux":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_AS)
        if most == resource.RLIM_INFINITY or most > _MEMORY:
            resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, most))
    max_pixels = int(sys.argv[1])
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    stdout.write(READY)
    stdout.flush()
    # From here on decoders say there what is odd about a photo.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    while length := stdin.read(4):
        path = stdin.read(struct.unpack("<I", length)[0])
        if hasattr(signal, "alarm"):  # else Windows, and no limit
            signal.alarm(SECONDS)  # ends the process, whatever it is doing
        found = look_at(path, max_pixels)
        if hasattr(signal, "alarm"):
            signal.alarm(0)
        stdout.write(json.dumps(found).encode() + b"\n")
        stdout.flush()


if __name__ == "__main__":
    main()
