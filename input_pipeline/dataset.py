"""Batches of photos, as pure functions of (seed, pass, photo)."""

import os
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from input_pipeline.decode import load_photo
from input_pipeline.index import PhotoIndex

_ORDER_STREAM = 1  # augmentation draws from stream 0 of the same key


def pass_order(seed: int, pass_index: int, num_photos: int) -> np.ndarray:
    """Returns the order of the photos in one pass, a permutation (N,).

    Args:
        seed: Seed of the run, in [0, 2**64).
        pass_index: Which pass over all photos, from 0.
        num_photos: Number of photos, N.
    """
    key = np.array([seed, pass_index], dtype="uint64")
    bits = np.random.Philox(key=key, counter=[0, 0, 0, _ORDER_STREAM])
    return np.random.Generator(bits).permutation(num_photos)


def make_train_ds(
    photos: PhotoIndex,
    *,
    resize: Callable,
    image_size: int,
    batch_size: int,
    seed: int,
    augment: Callable | None = None,
    first_photo: int = 0,
) -> tf.data.Dataset:
    """Returns endless shuffled, augmented batches.

    Pass p over the photos follows pass p - 1 without a gap, so every batch is
    full and an epoch may have any number of steps. Nothing here has a state:
    with `first_photo` the stream starts again at any place.

    Args:
        photos: `PhotoIndex` of N photos.
        resize: Function from an image float32 (H, W, 3) to the same with
            `image_size` pixels a side.
        image_size: Pixels a side.
        batch_size: Photos per batch, B.
        seed: Seed of order and augmentation.
        augment: None, or an object like `augment.Affine`: it has
            `parameters(pass_index, num_photos, size)`, an array with one row
            per photo, and is called with (images, their rows).
        first_photo: How many photos of the stream to leave out.

    Returns:
        `tf.data.Dataset` of images float32 (B, image_size, image_size, 3), RGB
        in [0, 255], and labels int32 (B,).
    """
    size = (image_size, image_size)
    width = 0 if augment is None else augment.parameters(0, 1, size).shape[1]

    def rows_of_pass(pass_index):
        order = pass_order(seed, pass_index, len(photos))
        if augment is None:
            return order, np.zeros((len(photos), 0), "float32")
        return order, augment.parameters(pass_index, len(photos), size)[order]

    def rows_ds(pass_index):
        order, parameters = tf.numpy_function(
            rows_of_pass, [pass_index], (tf.int64, tf.float32)
        )
        order = tf.ensure_shape(order, (len(photos),))
        parameters = tf.ensure_shape(parameters, (len(photos), width))
        return tf.data.Dataset.from_tensor_slices((order, parameters))

    paths, labels = _path_and_label_tensors(photos)

    def load(row, parameters):
        return resize(load_photo(paths[row])), labels[row], parameters

    def make_views(images, labels, parameters):
        if augment is not None:
            images = augment(images, parameters)
        return images, labels

    first_pass, skipped = divmod(first_photo, len(photos))
    ds = tf.data.Dataset.range(first_pass, np.iinfo("int64").max)
    ds = ds.flat_map(rows_ds).skip(skipped)
    ds = ds.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    ds = ds.batch(batch_size, drop_remainder=True)
    ds = ds.map(
        make_views, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    return ds.prefetch(2)


def make_eval_ds(
    photos: PhotoIndex, *, resize: Callable, batch_size: int
) -> tf.data.Dataset:
    """Returns every photo once, in order; the last batch may be short.

    Args:
        photos: `PhotoIndex`.
        resize: As in `make_train_ds`.
        batch_size: Photos per batch, B.

    Returns:
        `tf.data.Dataset` of images float32 (B, H, W, 3), RGB in [0, 255], and
        labels int32 (B,).
    """
    paths, labels = _path_and_label_tensors(photos)
    ds = tf.data.Dataset.range(len(photos))
    ds = ds.map(
        lambda row: (resize(load_photo(paths[row])), labels[row]),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    return ds.batch(batch_size).prefetch(2)


def _path_and_label_tensors(photos):
    # Names of files are bytes; not every one is valid UTF-8.
    paths = tf.constant([os.fsencode(path) for path in photos.paths])
    return paths, tf.constant(photos.labels, "int32")
