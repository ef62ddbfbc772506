"""Features, probabilities and logits of photos, from any tensors of a model."""

from typing import NamedTuple

import keras
import numpy as np
from scipy.special import expit

from model_zoo.head import head_features


class Outputs(NamedTuple):
    """All that a model computes of N photos, from its head on.

    Attributes:
        features: Input of the head, float32 (N, D).
        penultimate: Input of its last layer, float32 (N, P).
        probabilities: Of the classes, float32 (N, C).
        logits: Input of the softmax, float32 (N, C); of a sigmoid, 0 and its
            input.
    """

    features: np.ndarray
    penultimate: np.ndarray
    probabilities: np.ndarray
    logits: np.ndarray


class OutputsModel:
    """The part of a model after some of its tensors, with all `Outputs`."""

    def __init__(self, model: keras.Model, inputs: list[keras.KerasTensor]):
        """Splits the model.

        Args:
            model: Model of `build_model`, or read from its file.
            inputs: Tensors of it, on which all later ones depend.
        """
        self._model = model
        tensors = [*head_features(model), model.output]
        self._wanted = [id(tensor) for tensor in tensors]
        self._inputs = [id(tensor) for tensor in inputs]
        # In Keras no output may be an input as well, or be there twice.
        rest = {id(x): x for x in tensors if id(x) not in self._inputs}
        self._computed = list(rest)
        self._rest = keras.Model(inputs, list(rest.values()))

    def __call__(self, arrays: list[np.ndarray]) -> Outputs:
        """Returns the outputs of one batch of these tensors."""
        computed = keras.tree.flatten(self._rest.predict_on_batch(arrays))
        values = dict(zip(self._inputs, arrays, strict=True))
        values |= zip(self._computed, computed, strict=True)
        features, penultimate, output = (values[x] for x in self._wanted)
        kernel, bias = self._model.layers[-1].get_weights()
        logits = penultimate.astype("float32") @ kernel + bias
        probabilities = output
        if logits.shape[1] == 1:
            # 1 - output would be 0 wherever the sigmoid rounds to 1.
            probabilities = np.concatenate([expit(-logits), output], axis=1)
            logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
        pooled = pool(self._model, features)
        if self._wanted[0] == self._wanted[1]:  # the head is one layer
            penultimate = pooled
        return Outputs(pooled, penultimate, probabilities, logits)


def pool(model: keras.Model, features: np.ndarray) -> np.ndarray:
    """Returns the input of the head, float32 (B, D), means of flattened maps.

    Args:
        model: Model of `build_model`, or read from its file.
        features: Input of its first Dense layer, (B, D) or (B, h * w * D).
    """
    features = features.astype("float32")
    if any(layer.name == "head_flatten" for layer in model.layers):
        channels = model.get_layer("head_flatten").input.shape[-1]
        features = features.reshape(len(features), -1, channels).mean(axis=1)
    return features
