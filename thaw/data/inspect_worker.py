"""Worker process that decodes photos; a file that crashes it costs only itself.

    python -m thaw.data.inspect_worker MAX_PIXELS

reads names of files from its standard input, each after its length in four
bytes, and answers each with a line of JSON, the fields of `Inspection`.
"""

import hashlib
import json
import os
import signal
import stat
import struct
import sys
from typing import Any, NamedTuple

from PIL import UnidentifiedImageError

from thaw.data import pixels, samples
from thaw.data.appearance import appearance_of
from thaw.pixel_range import EIGHT_BITS, PixelRange

SECONDS = 60  # for one photo
READY = b"ready\n"  # the first line of its output
_MEMORY = 4 << 30  # bytes of address space, for one photo at a time
TOO_MANY = "more pixels than `max_pixels`"
_HEIC = (b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1")  # its brands
_LARGEST_FILE = 1 << 30  # bytes


class Inspection(NamedTuple):
    """The content of a photo's file, or the reason why it cannot be used.

    Attributes:
        reason: Why it cannot be used; None: it can.
        digest: BLAKE2b hash of the file, 32 hexadecimal digits; None where it
            was not read.
        format: One of the values of `pixels.EXTENSIONS`.
        width, height: In pixels, before it is turned.
        plain: `pixels.is_plain`.
        animated: `pixels.is_animated`.
        perceptual_hash, grey: Of `appearance.Appearance`.
        spread: Of `appearance.Appearance`, in values of the file; None: it was
            not decoded.
        samples: Kind of its samples, one of `KINDS`.
        lowest, highest: Its smallest and largest sample; None for 8 bits.
    """

    # Any: None where nobody asks, of photos that can't be used or of 8 bits.

    reason: str | None = None
    digest: str | Any = None
    format: str | Any = None
    width: int = 0
    height: int = 0
    plain: bool = False
    animated: bool = False
    perceptual_hash: int | None = None
    grey: bool = False
    spread: float | None = None
    samples: str = EIGHT_BITS
    lowest: float | Any = None
    highest: float | Any = None

    @classmethod
    def from_json(cls, text: str | bytes) -> "Inspection":
        """Returns the inspection that a JSON array of its fields stands for.

        Names of formats and kinds are shared: there may be a million.
        """
        found = cls(*json.loads(text))
        return found._replace(
            format=found.format and sys.intern(found.format),
            samples=sys.intern(found.samples),
        )


def inspect_file(path: bytes | str, max_pixels: int) -> Inspection:
    """Returns the inspection of one file, decoding all of it.

    Args:
        path: Path of the file.
        max_pixels: More than that are not decoded.
    """
    try:
        entry = os.stat(path)
        if not stat.S_ISREG(entry.st_mode):
            return Inspection("not a file")
        if entry.st_size > _LARGEST_FILE:
            size = entry.st_size / 1e9
            return Inspection(f"too large a file ({size:.1f} GB)")
        with open(path, "rb") as file:
            contents = file.read()
    except OSError as error:
        return Inspection(error.strerror)
    digest = hashlib.blake2b(contents, digest_size=16).hexdigest()
    if not contents:
        return Inspection("empty", digest)
    try:
        with pixels.open_photo(contents) as image:
            width, height = image.size
            if width * height > max_pixels:
                reason = f"{TOO_MANY} ({width} x {height})"
                return Inspection(reason, digest, width=width, height=height)
            kind = samples.kind_of(image)  # before anything loads pixels
            image_format = pixels.format_of(image)
            plain = pixels.is_plain(image)
            animated = pixels.is_animated(image)
        looks = _look(contents, kind)
    except UnidentifiedImageError:
        is_heic = contents[4:8] == b"ftyp" and contents[8:12] in _HEIC
        if is_heic and "HEIF" not in pixels.FORMATS:
            return Inspection("HEIC, which needs: pip install pillow-heif")
        return Inspection("not an image", digest)
    except MemoryError:
        return Inspection("takes too much memory")
    except Exception as error:  # of damaged files Pillow raises anything
        why = str(error) or type(error).__name__
        return Inspection(f"damaged ({why})", digest)
    return Inspection(
        digest=digest,
        format=image_format,
        width=width,
        height=height,
        plain=plain,
        animated=animated,
        samples=kind,
        **looks,
    )


def _look(contents, kind):
    """Returns the fields for which all of a photo is decoded."""
    if kind == EIGHT_BITS:
        return appearance_of(pixels.decode(contents))._asdict()
    lowest, highest = pixels.read_extremes(contents)
    # In its own range: in that of the set a dark photo would have no hash.
    own_range = PixelRange(lowest, highest if highest > lowest else lowest + 1)
    shown = pixels.decode(contents, {kind: own_range})
    looks = appearance_of(shown)._asdict()
    looks["spread"] *= own_range.width / 255
    return {"lowest": lowest, "highest": highest, **looks}


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
    # From here on decoders warn of odd photos there.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    alarm = getattr(signal, "alarm", lambda _: None)  # Windows: no limit
    with pixels.pillow_limits():
        while length := stdin.read(4):
            path = stdin.read(struct.unpack("<I", length)[0])
            alarm(SECONDS)  # ends the process, whatever it is doing
            inspection = inspect_file(path, max_pixels)
            alarm(0)
            stdout.write(json.dumps(inspection).encode() + b"\n")
            stdout.flush()


if __name__ == "__main__":
    main()
