"""Grad-CAM: heat maps of the places on a photo that speak for a class."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from model_zoo.unfreeze import base_layers
from thaw.errors import UserError


class GradCam:
    """Heat maps of a class, for any number of batches.

    The maps of a layer, each weighted by the mean gradient of the score of
    the class, are added, and what speaks against it is left out (Selvaraju et
    al. 2017, arXiv:1610.02391, section 3). The score is the input of the last
    sigmoid or softmax, which itself would flatten the gradient where the model
    is sure.
    """

    def __init__(self, model: keras.Model, layer_name: str | None = None):
        """Splits the model.

        Args:
            model: Functional model that ends with a Dense layer, e.g. that of
                `build_model`.
            layer_name: Layer whose maps, (B, h, w, channels), are taken. None:
                the last that does more than pool.

        Raises:
            UserError: If `model` does not end with a Dense layer, or has no
                such maps.
        """
        self._last = model.layers[-1]
        if not isinstance(self._last, keras.layers.Dense):
            raise UserError(
                f"No Grad-CAM: the last layer of {model.name} must be Dense. "
                f"Received: {type(self._last).__name__}"
            )
        if layer_name is None:
            layer = _last_map_layer(model)
        else:
            layer = model.get_layer(layer_name)
        if len(layer.output.shape) != 4:
            raise UserError(
                f"No Grad-CAM: '{layer.name}' has no maps. Received: output "
                f"of shape {layer.output.shape}"
            )
        start = model.input
        if any(layer.name == "resize" for layer in model.layers):
            start = model.get_layer("resize").output
        self._to_maps = keras.Model(start, layer.output)
        self._rest = keras.Model(layer.output, self._last.input)
        # Of each class, how the units of the last layer make its score.
        self._signs = np.eye(self._last.units)
        if self._last.units == 1:
            self._signs = np.array([[-1.0], [1.0]])

    def __call__(self, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """Returns how much each place speaks for a class, float32 (B, h, w).

        Args:
            images: Output of the layer `resize` of the model for photos, or,
                if it has none, input of the model, float32 (B, H, W, 3).
            classes: The class to look for on each, int (B,); for a Dense layer
                of one unit 0 or 1.

        Returns:
            In [0, 1], the highest of each photo 1; all 0 where nothing speaks
            for the class.
        """
        signs = tf.constant(self._signs[np.asarray(classes)], "float32")
        maps = self._to_maps(tf.constant(images, "float32"), training=False)
        with tf.GradientTape() as tape:
            tape.watch(maps)
            rest = self._rest(maps, training=False)
            # The bias does not depend on the maps.
            scores = ops.matmul(rest, self._last.kernel)
            score = ops.sum(ops.cast(scores, "float32") * signs)
        gradient = tape.gradient(score, maps)
        weights = ops.mean(gradient, axis=(1, 2), keepdims=True)
        heat = ops.relu(ops.sum(ops.cast(weights * maps, "float32"), axis=-1))
        highest = ops.max(heat, axis=(1, 2), keepdims=True)
        heat = heat / ops.where(highest > 0, highest, 1.0)
        return ops.convert_to_numpy(heat)


def grad_cam(
    model: keras.Model,
    images: np.ndarray,
    classes: np.ndarray,
    layer_name: str | None = None,
) -> np.ndarray:
    """Returns `GradCam(model, layer_name)(images, classes)`, for one batch."""
    return GradCam(model, layer_name)(images, classes)


def _last_map_layer(model):
    """Returns the last layer of the base with maps, but for pooling.

    Raises:
        UserError: If there is none, or the layers after it mix places, as in
            a vision transformer.
    """
    layers = [x for x in base_layers(model) if hasattr(x.output, "shape")]
    with_maps = [
        layer
        for layer in layers
        if len(layer.output.shape) == 4 and layer.output.shape[1] != 1
    ]
    while with_maps and "Pooling" in type(with_maps[-1]).__name__:
        with_maps.pop()
    learned = [layer for layer in layers if layer.weights]
    if not with_maps or (learned and learned[-1] not in with_maps):
        raise UserError(
            f"No Grad-CAM: {model.name} has no layer with maps at its end."
        )
    return with_maps[-1]
