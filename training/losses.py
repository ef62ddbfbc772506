"""The loss and the accuracy, of labels that may be mixes."""

from collections.abc import Callable

import keras


def crossentropy(
    num_classes: int, label_smoothing: float, mixed: bool
) -> Callable | None:
    """Returns cross-entropy on smoothed or mixed labels, None on plain ones.

    Szegedy et al. 2016 (arXiv:1512.00567), section 7.

    Args:
        num_classes: Number of classes, C; two have one sigmoid unit.
        label_smoothing: Share of a label given to all classes alike, [0, 1).
        mixed: Whether some labels are those of `augment.Mixes`.

    Returns:
        Function from (labels, probabilities) to the loss of each photo, (B,).
        Labels are integers, (B,) or (B, 1), or shares: (B, 1) for two classes,
        else (B, C).
    """
    if not label_smoothing and not mixed:
        return None
    if num_classes == 2:
        return keras.losses.BinaryCrossentropy(label_smoothing=label_smoothing)

    # Keras's sparse loss, which takes integers, knows neither.
    def smoothed_crossentropy(labels, probabilities):
        return keras.losses.categorical_crossentropy(
            _shares(labels, num_classes),
            probabilities,
            label_smoothing=label_smoothing,
        )

    return smoothed_crossentropy


def accuracy() -> keras.metrics.Metric:
    """Returns the share of photos whose likeliest class is the right one.

    Of a mix that is the class with the largest share. Keras's own metric takes
    the kind of labels it sees first, those of training, for that of all.
    """
    return keras.metrics.MeanMetricWrapper(_is_right, name="accuracy")


def _is_right(labels, probabilities):
    ops = keras.ops
    num_outputs = probabilities.shape[-1]
    if num_outputs == 1:
        labels = ops.reshape(ops.cast(labels, "float32"), (-1,)) > 0.5
        return labels == (probabilities[:, 0] > 0.5)
    labels = ops.argmax(_shares(labels, num_outputs), axis=-1)
    return labels == ops.argmax(probabilities, axis=-1)


def _shares(labels, num_classes):
    """Returns the share of each class, (B, C), of integers or shares."""
    ops = keras.ops
    if len(labels.shape) == 2 and labels.shape[1] == num_classes:
        return labels
    labels = ops.reshape(ops.cast(labels, "int32"), (-1,))
    return ops.one_hot(labels, num_classes)
