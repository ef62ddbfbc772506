"""Losses that Keras has no ready form of."""

from collections.abc import Callable

import keras


def smoothed_loss(num_classes: int, label_smoothing: float) -> Callable | None:
    """Returns cross-entropy on smoothed labels, None where they are not.

    Szegedy et al. 2016 (arXiv:1512.00567), section 7.

    Args:
        num_classes: Number of classes; two have one sigmoid unit.
        label_smoothing: Share of a label given to all classes alike, [0, 1).

    Returns:
        Function from (integer labels (B,) or (B, 1), probabilities) to the
        loss of each photo, (B,).
    """
    if not label_smoothing:
        return None
    if num_classes == 2:
        return keras.losses.BinaryCrossentropy(label_smoothing=label_smoothing)

    # Keras's sparse loss, which takes integers, knows no smoothing.
    def smoothed_crossentropy(labels, probabilities):
        labels = keras.ops.one_hot(
            keras.ops.reshape(keras.ops.cast(labels, "int32"), (-1,)),
            num_classes,
        )
        return keras.losses.categorical_crossentropy(
            labels, probabilities, label_smoothing=label_smoothing
        )

    return smoothed_crossentropy
