"""What the frozen part makes of photos: the input of the trained part."""

import keras
import numpy as np
import tensorflow as tf


def make_features_ds(
    frozen: keras.Model, photos_ds: tf.data.Dataset, batch_size: int
) -> tf.data.Dataset:
    """Returns `photos_ds` with each batch of images put through `frozen`.

    The frozen part runs in inference mode (a frozen Dropout would stay on
    otherwise), always on `batch_size` images: the size of a batch changes the
    last bits of a convolution, so a short batch is padded and cut back.

    Args:
        frozen: Model of `model_zoo.boundary.split`, one image in, a list of
            boundary tensors out.
        photos_ds: Dataset of images float32 (B, H, W, 3) and labels int32
            (B,), with B up to `batch_size`.
        batch_size: Number of images the frozen part always runs on.

    Returns:
        `tf.data.Dataset` of (boundary tensors as a tuple, labels).
    """

    def batches():
        for images, labels in photos_ds.as_numpy_iterator():
            yield frozen_features(frozen, images, batch_size), labels

    signature = tuple(
        tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype)
        for tensor in frozen.outputs
    )
    features_ds = tf.data.Dataset.from_generator(
        batches,
        output_signature=(signature, tf.TensorSpec((None,), "int32")),
    )
    steps = photos_ds.cardinality()
    if steps < 0:  # endless
        return features_ds
    return features_ds.apply(tf.data.experimental.assert_cardinality(steps))


def frozen_features(
    frozen: keras.Model, images: np.ndarray, batch_size: int
) -> tuple[np.ndarray, ...]:
    """Returns the boundary tensors of up to `batch_size` images, as arrays."""
    short = batch_size - len(images)
    if short:
        padding = np.zeros((short, *images.shape[1:]), images.dtype)
        images = np.concatenate([images, padding])
    outputs = frozen.predict_on_batch(images)
    return tuple(
        features[: batch_size - short]
        for features in keras.tree.flatten(outputs)
    )
