"""What a model makes of photos, computed from the features that are stored."""

from typing import NamedTuple

import keras
import numpy as np

from model_zoo.boundary import split
from model_zoo.head import head_features
from model_zoo.unfreeze import first_trained_layer
from training.feature_cache import FeatureCache
from training.features import Features, make_frozen_part
from training.stage_input import StageInput


class Outputs(NamedTuple):
    """What a model makes of N photos.

    Attributes:
        features: What the head sees, float32 (N, D).
        penultimate: What its last layer sees, float32 (N, P).
        probabilities: Of the classes, float32 (N, C).
    """

    features: np.ndarray
    penultimate: np.ndarray
    probabilities: np.ndarray


def compute_outputs(
    model: keras.Model,
    unfreeze_from: str,
    cache: FeatureCache,
    views,
    batch_size: int,
    *,
    features_only: bool = False,
) -> Outputs:
    """Returns the outputs for view 0 of each photo, in their order.

    Args:
        model: Model of `build_model`, or read from its file.
        unfreeze_from: Unfreeze point of the stage whose cache it is.
        cache: Boundary tensors of that point; what is missing is computed.
        views: `input_pipeline.dataset.PhotoViews`.
        batch_size: That of the stage.
        features_only: Whether the other two may be empty: of many photos they
            take memory.
    """
    frozen, _ = split(model, first_trained_layer(model, unfreeze_from))
    trained = keras.Model(frozen.outputs, [*head_features(model), model.output])
    stage_input = StageInput(frozen.outputs, cache, cache)
    photos = Features(
        make_frozen_part(model, [stage_input]), [cache], views, batch_size
    )
    rows = np.argsort(views.order(0))
    parts = []
    for tensors, _ in photos.one_pass().as_numpy_iterator():
        features, penultimate, probabilities = trained.predict_on_batch(
            list(tensors)
        )
        if features_only:
            penultimate, probabilities = (
                penultimate[:, :0],
                probabilities[:, :0],
            )
        features = pool(model, features)
        parts.append((features, penultimate, probabilities))
    photos.flush()
    features, penultimate, probabilities = (
        np.concatenate(arrays)[rows] for arrays in zip(*parts, strict=True)
    )
    return Outputs(features, penultimate, two_columns(probabilities))


def pool(model: keras.Model, features: np.ndarray) -> np.ndarray:
    """Returns what the head sees, float32 (B, D), means of flattened maps."""
    features = features.astype("float32")
    if any(layer.name == "head_flatten" for layer in model.layers):
        channels = model.get_layer("head_flatten").input.shape[-1]
        features = features.reshape(len(features), -1, channels).mean(axis=1)
    return features


def two_columns(probabilities: np.ndarray) -> np.ndarray:
    """Returns one column a class, (N, C), of the output of a model.

    One sigmoid unit is the probability of class 1.
    """
    if probabilities.shape[1] == 1:
        return np.concatenate([1 - probabilities, probabilities], axis=1)
    return probabilities
