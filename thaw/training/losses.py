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

        def binary_crossentropy(labels, probabilities):
            return keras.losses.binary_crossentropy(
                keras.ops.reshape(labels, (-1, 1)),
                probabilities,
                label_smoothing=label_smoothing,
            )

        return binary_crossentropy

    # Keras's sparse loss, which takes integers, knows neither.
    def smoothed_crossentropy(labels, probabilities):
        return keras.losses.categorical_crossentropy(
            _shares(labels, num_classes),
            probabilities,
            label_smoothing=label_smoothing,
        )

    return smoothed_crossentropy


class Accuracy(keras.metrics.Metric):
    """The share of photos whose likeliest class is the right one.

    Of a mix, the right one is the class with the largest share. (Keras's own
    metric takes the kind of labels it sees first, those of training, for that
    of all.)

    Attributes:
        counts: How many photos of each class, by row, were taken for each, by
            column; a variable, float32 (C, C).
    """

    def __init__(self, num_classes: int, name: str = "accuracy"):
        super().__init__(name=name)
        self._num_classes = num_classes
        self.counts = self.add_variable(
            (num_classes, num_classes), "zeros", name="counts"
        )

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch: labels as in `crossentropy`, and probabilities."""
        ops = keras.ops
        if self._num_classes == 2:
            flat = [
                ops.reshape(ops.cast(y, "float32"), (-1,))
                for y in (y_true, y_pred)
            ]
            right, taken = (ops.cast(y > 0.5, "int32") for y in flat)
        else:
            right = ops.argmax(_shares(y_true, self._num_classes), axis=-1)
            taken = ops.argmax(y_pred, axis=-1)
        right, taken = (
            ops.one_hot(classes, self._num_classes)
            for classes in (right, taken)
        )
        self.counts.assign_add(ops.matmul(ops.transpose(right), taken))

    def result(self):
        ops = keras.ops
        return ops.trace(self.counts) / ops.maximum(ops.sum(self.counts), 1)


def _shares(labels, num_classes):
    """Returns the share of each class, (B, C), of integers or shares."""
    ops = keras.ops
    if len(labels.shape) == 2 and labels.shape[1] == num_classes:
        return labels
    labels = ops.reshape(ops.cast(labels, "int32"), (-1,))
    return ops.one_hot(labels, num_classes)
