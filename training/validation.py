"""What the model of a run makes of its validation photos."""

from collections.abc import Sequence

import keras
import numpy as np

from model_zoo.boundary import split
from model_zoo.unfreeze import first_trained_layer
from training.features import Features, make_frozen_part
from training.stage_input import StageInput


def predict_validation(
    model: keras.Model,
    unfreeze_from: str,
    stage_input: StageInput,
    val_views,
    batch_size: int,
) -> np.ndarray:
    """Returns the probabilities of each class, from cached features.

    Args:
        model: Model of `build_model`.
        unfreeze_from: Unfreeze point of a stage of the run.
        stage_input: What that stage trained on.
        val_views: `input_pipeline.dataset.PhotoViews` of N photos.
        batch_size: Photos per step.

    Returns:
        float32 (N, C), rows in the order of the photos.
    """
    _, trained = split(model, first_trained_layer(model, unfreeze_from))
    features = Features(
        make_frozen_part(model, [stage_input]),
        [stage_input.val_cache],
        val_views,
        batch_size,
    )
    outputs = trained.predict(features.one_pass(), verbose=0)
    if outputs.shape[1] == 1:  # sigmoid: the probability of class 1
        outputs = np.concatenate([1 - outputs, outputs], axis=1)
    return outputs


def most_confused(
    labels: np.ndarray, probabilities: np.ndarray, class_names: Sequence[str]
) -> list[tuple[str, str, int]]:
    """Returns which class was taken for which, and how often, from the top.

    Args:
        labels: int (N,).
        probabilities: float (N, C).
        class_names: Names of the C classes.

    Returns:
        (right class, predicted class, photos); none is without photos.
    """
    num_classes = len(class_names)
    pairs = labels * num_classes + probabilities.argmax(axis=1)
    counts = np.bincount(pairs, minlength=num_classes**2)
    confused = [
        (class_names[right], class_names[predicted], int(count))
        for (right, predicted), count in np.ndenumerate(
            counts.reshape(num_classes, num_classes)
        )
        if right != predicted and count
    ]
    return sorted(confused, key=lambda pair: -pair[2])
