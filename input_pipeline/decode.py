"""From the bytes of a file to pixels."""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import tensorflow as tf

from errors import UserError

_JPEG_START, _PNG_START = b"\xff\xd8", b"\x89PNG"
_SHOWN = 10  # unreadable files named in a message


def decode_photo(contents: tf.Tensor) -> tf.Tensor:
    """Returns the pixels of a JPEG or PNG file, uint8 (H, W, 3), RGB.

    Args:
        contents: Bytes of the file, a scalar string tensor.

    Raises:
        tf.errors.InvalidArgumentError: If it is neither, or is damaged.
    """
    # decode_jpeg reads PNG as well, and GIF: that one with wrong colours and
    # without a limit on memory (tensorflow#115498), so it is kept away.
    is_jpeg = tf.strings.substr(contents, 0, 2) == _JPEG_START
    is_png = tf.strings.substr(contents, 0, 4) == _PNG_START
    known = tf.debugging.Assert(is_jpeg | is_png, ["not a JPEG or PNG file"])
    with tf.control_dependencies([known]):
        return tf.io.decode_jpeg(
            contents,
            channels=3,
            dct_method="INTEGER_ACCURATE",  # the one Pillow agrees with
        )


def load_photo(path: tf.Tensor | str) -> tf.Tensor:
    """Returns the pixels of the file at `path`, float32 (H, W, 3), RGB."""
    return tf.cast(decode_photo(tf.io.read_file(path)), "float32")


def check_readable(paths: Sequence[str]) -> list[bytes]:
    """Decodes every photo once, before any time is spent on training.

    Args:
        paths: Paths of the photos.

    Returns:
        The BLAKE2b hash of each file, 16 bytes.

    Raises:
        UserError: If any cannot be decoded; it names them.
    """

    @tf.function(input_signature=[tf.TensorSpec((), "string")], autograph=False)
    def decode(contents):
        return tf.size(decode_photo(contents))

    def check(path):
        """Returns (hash, what is wrong); one of them is None."""
        try:
            with open(path, "rb") as file:
                contents = file.read()
            decode(contents)
        except OSError as error:
            return None, error.strerror
        except tf.errors.OpError:
            # The message of TensorFlow is about its graph.
            known = contents.startswith((_JPEG_START, _PNG_START))
            return None, "damaged" if known else "not a JPEG or PNG file"
        return hashlib.blake2b(contents, digest_size=16).digest(), None

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        checked = list(pool.map(check, paths))
    bad = [
        (path, why)
        for path, (_, why) in zip(paths, checked, strict=True)
        if why is not None
    ]
    if bad:
        listed = "\n".join(f"  {path}: {why}" for path, why in bad[:_SHOWN])
        more = f"\n  and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        raise UserError(
            f"{len(bad)} of {len(paths)} photos cannot be read:\n"
            f"{listed}{more}\n"
            "Repair or remove them, then run again."
        )
    return [digest for digest, _ in checked]
