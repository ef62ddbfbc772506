"""A process that looks at photos, so that one which kills it costs only that.

    python -m input_pipeline.look MAX_PIXELS

reads names of files from its standard input, each after its length in four
bytes, and answers each with a line of JSON: `digest`, the BLAKE2b hash of the
file; `look_hash` and `plain`, as in `pixels`; `pixels`, how many there are; or
else `reason`, why it cannot be used.
"""

import hashlib
import json
import os
import signal
import stat
import struct
import sys

from PIL import Image, UnidentifiedImageError

from input_pipeline import pixels

_MEMORY = 4 << 30  # bytes of address space, for one photo at a time
_HEIC = b"ftyphei"  # begins its files, after four bytes
_LARGEST_FILE = 1 << 30  # bytes


def look_at(path: bytes | str, max_pixels: int) -> dict:
    """Returns what is found in one file, decoding all of it.

    Args:
        path: Path of the file.
        max_pixels: More than that are not decoded.
    """
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            return {"reason": "not a file"}
        if found.st_size > _LARGEST_FILE:
            return {"reason": f"{found.st_size / 1e9:.1f} GB"}
        with open(path, "rb") as file:
            contents = file.read()
    except OSError as error:
        return {"reason": error.strerror}
    if not contents:
        return {"reason": "empty"}
    try:
        with pixels.open_photo(contents) as image:
            width, height = image.size
            if width * height > max_pixels:
                return {
                    "reason": f"{width} x {height} pixels, more than "
                    f"--max_pixels={max_pixels}"
                }
            plain = pixels.is_plain(image)
        look_hash = pixels.look_hash(pixels.decode(contents))
    except UnidentifiedImageError:
        if _HEIC in contents[:16] and "HEIF" not in pixels.FORMATS:
            return {"reason": "HEIC, which needs: pip install pillow-heif"}
        return {"reason": "not an image"}
    except Image.DecompressionBombError:
        return {"reason": f"more than --max_pixels={max_pixels} pixels"}
    except MemoryError:
        return {"reason": "takes too much memory"}
    except Exception as error:  # of damaged files Pillow raises anything
        return {"reason": f"damaged ({str(error) or type(error).__name__})"}
    digest = hashlib.blake2b(contents, digest_size=16).hexdigest()
    return {
        "digest": digest,
        "look_hash": look_hash,
        "pixels": width * height,
        "plain": plain,
    }


def main() -> None:
    """Answers until the standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    max_pixels = int(sys.argv[1])
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    while length := stdin.read(4):
        path = stdin.read(struct.unpack("<I", length)[0])
        answer = json.dumps(look_at(path, max_pixels))
        stdout.write(answer.encode() + b"\n")
        stdout.flush()


if __name__ == "__main__":
    main()
