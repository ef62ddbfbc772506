"""What a model makes of photos, computed from the features that are stored."""

from typing import NamedTuple

import keras
import numpy as np

from model_zoo.boundary import split
from model_zoo.head import head_features
from model_zoo.unfreeze import first_trained_layer
from thaw.cache.features import Features, make_frozen_part
from thaw.cache.plan import StageInput
from thaw.cache.shards import FeatureCache

_VIEWS = 3  # of features alone


class Outputs(NamedTuple):
    """What a model makes of N photos.

    Attributes:
        features: What the head sees, float32 (N, D).
        penultimate: What its last layer sees, float32 (N, P).
        probabilities: Of the classes, float32 (N, C).
        logits: What goes into softmax, float32 (N, C); of a sigmoid, 0 and
            what goes into it.
    """

    features: np.ndarray
    penultimate: np.ndarray
    probabilities: np.ndarray
    logits: np.ndarray


class OutputsModel:
    """The part of a model from some of its tensors on, with all `Outputs`."""

    def __init__(self, model: keras.Model, inputs: list[keras.KerasTensor]):
        """Takes the model apart.

        Args:
            model: Model of `build_model`, or read from its file.
            inputs: Tensors of it, on which all that follows depends.
        """
        self._model = model
        self._wanted = [id(x) for x in (*head_features(model), model.output)]
        self._inputs = [id(tensor) for tensor in inputs]
        # In Keras no output may be an input as well, or be there twice.
        tensors = {
            id(x): x
            for x in (*head_features(model), model.output)
            if id(x) not in self._inputs
        }
        self._made = list(tensors)
        self._rest = keras.Model(inputs, list(tensors.values()))

    def __call__(self, arrays: list[np.ndarray]) -> Outputs:
        """Returns what comes of a batch of these tensors."""
        made = keras.tree.flatten(self._rest.predict_on_batch(arrays))
        values = dict(zip(self._inputs, arrays, strict=True))
        values |= zip(self._made, made, strict=True)
        features, penultimate, probabilities = (
            values[tensor] for tensor in self._wanted
        )
        kernel, bias = self._model.layers[-1].get_weights()
        logits = penultimate.astype("float32") @ kernel + bias
        if logits.shape[1] == 1:
            logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
        pooled = pool(self._model, features)
        if self._wanted[0] == self._wanted[1]:  # the head is one layer
            penultimate = pooled
        return Outputs(pooled, penultimate, two_columns(probabilities), logits)


def compute_outputs(
    model: keras.Model,
    unfreeze_from: str,
    cache: FeatureCache,
    views,
    batch_size: int,
    *,
    features_only: bool = False,
) -> Outputs:
    """Returns the outputs of photos, in their order.

    They are those of view 0; features alone are means of some of the views
    that are stored, which says more of a photo than one distorted view.

    Args:
        model: Model of `build_model`, or read from its file.
        unfreeze_from: Unfreeze point of the stage whose cache it is.
        cache: Boundary tensors of that point; what is missing is computed.
        views: `thaw.data.datasets.PhotoViews`.
        batch_size: That of the stage.
        features_only: Whether all else may be empty: of many photos they
            take memory.
    """
    frozen, _ = split(model, first_trained_layer(model, unfreeze_from))
    trained = OutputsModel(model, frozen.outputs)
    stage_input = StageInput(frozen.outputs, cache, cache)
    photos = Features(
        make_frozen_part(model, [stage_input]), [cache], views, batch_size
    )
    rows = np.argsort(views.order(0))

    def outputs_of(view):
        parts = []
        for tensors, _ in photos.one_pass(view).as_numpy_iterator():
            outputs = trained(list(tensors))
            if features_only:
                outputs = [outputs.features, *(x[:, :0] for x in outputs[1:])]
            parts.append(outputs)
        photos.flush()
        arrays = zip(*parts, strict=True)
        return Outputs(*(np.concatenate(x)[rows] for x in arrays))

    outputs = outputs_of(0)
    if features_only:
        num_views = min(max(cache.num_views, 1), _VIEWS)
        for view in range(1, num_views):
            outputs.features[:] += outputs_of(view).features
        outputs.features[:] /= num_views
    return outputs


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
