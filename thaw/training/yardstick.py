"""The yardstick of a run: a linear head on its frozen features.

scikit-learn solves it in seconds. A run that ends with a higher loss has gained
nothing by all else that it did.
"""

from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from thaw.training.losses import Accuracy
from thaw.training.solved_head import solve_head

_MOST_VALUES = 10**8  # of the features: they take 8 bytes each


class Yardstick(NamedTuple):
    """Results of a linear head on the validation photos.

    Attributes:
        val_loss: Their loss, as in the history of the run.
        val_accuracy: Their accuracy.
    """

    val_loss: float
    val_accuracy: float

    def describe(self) -> str:
        """Returns e.g. `validation loss 0.0912, accuracy 0.9680`."""
        return (
            f"validation loss {self.val_loss:.4f}, accuracy "
            f"{self.val_accuracy:.4f}"
        )


def is_affordable(num_photos: int, num_features: int) -> bool:
    """Returns whether a head on so many features is solved in seconds."""
    return num_photos * num_features <= _MOST_VALUES


def measure(
    features: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray | None,
    num_classes: int,
    loss: str | Callable,
    val_ds: tf.data.Dataset,
    callbacks: list,
) -> Yardstick:
    """Solves a linear head, and validates it.

    Args:
        features, labels, groups: As in `solve_head`.
        num_classes: Number of classes.
        loss: Loss of the run.
        val_ds: Batches of features and labels to validate on.
        callbacks: Keras callbacks of `evaluate`.
    """
    kernel, bias = solve_head(features, labels, "linear", groups)
    head = keras.layers.Dense(
        len(bias),
        "sigmoid" if num_classes == 2 else "softmax",
        # Random ones would take a seed from Python's.
        kernel_initializer="zeros",
        dtype="float32",
    )
    inputs = keras.Input(features.shape[1:])
    model = keras.Model([inputs], head(inputs))
    head.set_weights([kernel, bias])
    model.compile(loss=loss, metrics=[Accuracy(num_classes)])
    logs = model.evaluate(
        val_ds, verbose=0, return_dict=True, callbacks=callbacks
    )
    return Yardstick(logs["loss"], logs["accuracy"])
