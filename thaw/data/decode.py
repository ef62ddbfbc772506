"""Photo decoder: from a file to pixels, in a TensorFlow graph.

Plain JPEG and PNG are decoded by TensorFlow, which is fast; everything else by
Pillow, which is right. GIF never gets to TensorFlow, which has no limit on the
memory it takes (tensorflow#115498).
"""

import os
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from thaw.data import pixels, samples
from thaw.pixel_range import EIGHT_BITS, PixelRange


def load_photo(
    path: tf.Tensor | str,
    plain: tf.Tensor | None = None,
    pixel_ranges: Mapping[str, PixelRange] | None = None,
) -> tf.Tensor:
    """Returns the pixels of the file at `path`, float32 (H, W, 3), RGB.

    Args:
        path: Path of the file, a string or a scalar string tensor.
        plain, pixel_ranges: As in `decode_photo`.
    """
    if isinstance(path, str):
        path = path_tensor(path)
    decoded = decode_photo(tf.io.read_file(path), plain, pixel_ranges)
    return tf.cast(decoded, "float32")


def path_tensor(paths: str | Sequence[str]) -> tf.Tensor:
    """Returns one path or several as a string tensor, () or (N,).

    Names of files are bytes; not every one is valid UTF-8.
    """
    if isinstance(paths, str):
        return tf.constant(os.fsencode(paths), "string")
    return tf.constant([os.fsencode(path) for path in paths], "string")


def load_samples(
    paths: Sequence[str],
    most: int = 64,
    height: int = 320,
    width: int = 400,
    pixel_ranges: Mapping[str, PixelRange] | None = None,
) -> np.ndarray:
    """Returns some photos in one array, uint8 (N, height, width, 3), RGB.

    Each is cut to that size, or continued with the pixels of its edge, never
    scaled: they are raw photos still.

    Args:
        paths: Paths of the files; those taken are spread evenly over them.
        most: Photos, if there are as many.
        height, width: Pixels.
        pixel_ranges: As in `decode_photo`.

    Raises:
        tf.errors.OpError: If one cannot be read.
    """
    rows = spread(len(paths), most)
    samples = np.empty((len(rows), height, width, 3), "uint8")
    for sample, row in zip(samples, rows, strict=True):
        file = tf.io.read_file(path_tensor(paths[row]))
        cut = decode_photo(file, None, pixel_ranges).numpy()[:height, :width]
        missing = [(0, height - len(cut)), (0, width - cut.shape[1]), (0, 0)]
        sample[:] = np.pad(cut, missing, "edge")
    return samples


def spread(count: int, most: int) -> np.ndarray:
    """Returns at most `most` of `count` rows, spread evenly, int64 (N,)."""
    return np.linspace(0, count - 1, min(count, most)).round().astype("int64")


def decode_photo(
    contents: tf.Tensor,
    plain: tf.Tensor | None = None,
    pixel_ranges: Mapping[str, PixelRange] | None = None,
) -> tf.Tensor:
    """Returns the pixels of a photo, uint8 (H, W, 3), RGB.

    Args:
        contents: Bytes of the file, a scalar string tensor.
        plain: Whether it is plain (`pixels.is_plain`), a scalar bool; None:
            checked in Python, for which threads of TensorFlow wait.
        pixel_ranges: As in `pixels.decode`.

    Raises:
        tf.errors.OpError: If it is no photo, or is damaged.
    """
    if plain is None:
        plain = tf.numpy_function(_is_plain, [contents], "bool")

    def decode_odd(contents):
        return pixels.decode(_as_bytes(contents), pixel_ranges)

    decoded = tf.cond(
        plain,
        lambda: decode_plain(contents, pixel_ranges),
        lambda: tf.numpy_function(decode_odd, [contents], "uint8"),
    )
    return tf.ensure_shape(decoded, (None, None, 3))


def decode_plain(
    contents: tf.Tensor,
    pixel_ranges: Mapping[str, PixelRange] | None = None,
) -> tf.Tensor:
    """Returns the same of a photo that `pixels.is_plain`."""
    decoded = tf.io.decode_jpeg(  # reads PNG as well
        contents,
        channels=3,
        dct_method="INTEGER_ACCURATE",  # the one Pillow agrees with
    )
    pixel_range = (pixel_ranges or {}).get(EIGHT_BITS)
    if pixel_range is None:
        return decoded
    table = samples.table_of_octets(pixel_range)
    return tf.gather(table, tf.cast(decoded, "int32"))


def decodes_plain(path: str) -> bool:
    """Returns whether TensorFlow can decode the file of a plain photo."""
    try:
        _size_of_plain(path_tensor(path))
    except tf.errors.OpError:
        return False
    return True


@tf.function(input_signature=[tf.TensorSpec((), "string")], autograph=False)
def _size_of_plain(path):
    return tf.size(decode_plain(tf.io.read_file(path)))


def _is_plain(contents):
    with pixels.open_photo(_as_bytes(contents)) as image:
        return np.array(pixels.is_plain(image))


def _as_bytes(contents):
    """Returns what TensorFlow gives: bytes in a graph, else an array of it."""
    return np.asarray(contents, "object").item()
