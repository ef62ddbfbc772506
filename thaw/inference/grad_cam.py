"""Where on a photo a model sees a class: Grad-CAM."""

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from model_zoo.unfreeze import base_layers


class GradCam:
    """Says where a model sees a class.

    The maps of a layer, each weighted by the mean gradient of the score of
    the class, added, and what speaks against it left out (Selvaraju et al.
    2017, arXiv:1610.02391, section 3). The score is what the last layer makes
    before its sigmoid or softmax, which would flatten the gradient where the
    model is sure.
    """

    def __init__(self, model: keras.Model, layer_name: str | None = None):
        """Takes the model apart.

        Args:
            model: Functional model that ends with a Dense layer, e.g. that of
                `build_model`.
            layer_name: Layer whose maps, (B, h, w, channels), are taken. None:
                the last that does more than pool.

        Raises:
            ValueError: If `model` does not end with a Dense layer, or has no
                such maps.
        """
        self._last = model.layers[-1]
        if not isinstance(self._last, keras.layers.Dense):
            raise ValueError(
                f"The last layer of {model.name} must be Dense. Received: "
                f"{type(self._last).__name__}"
            )
        if layer_name is None:
            layer = _last_map_layer(model)
        else:
            layer = model.get_layer(layer_name)
        if len(layer.output.shape) != 4:
            raise ValueError(
                f"'{layer.name}' has no maps. Received: output of shape "
                f"{layer.output.shape}"
            )
        start = model.input
        if any(layer.name == "resize" for layer in model.layers):
            start = model.get_layer("resize").output
        self._to_maps = keras.Model(start, layer.output)
        self._rest = keras.Model(layer.output, self._last.input)

    def __call__(self, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """Returns how much each place speaks for a class, float32 (B, h, w).

        Args:
            images: What the layer `resize` of the model makes of photos, or,
                if it has none, what it takes, float32 (B, H, W, 3).
            classes: The class to look for on each, int (B,); for a Dense layer
                of one unit 0 or 1.

        Returns:
            In [0, 1], the highest of each photo 1; all 0 where nothing speaks
            for the class.
        """
        classes = np.asarray(classes)
        if self._last.units == 1:
            signs = np.where(classes == 1, 1.0, -1.0)[:, None]
        else:
            signs = np.eye(self._last.units)[classes]
        signs = ops.convert_to_tensor(signs, "float32")

        def score(maps):
            rest = self._rest(maps, training=False)
            # The bias does not depend on the maps.
            scores = ops.matmul(rest, self._last.kernel)
            return ops.sum(ops.cast(scores, "float32") * signs)

        images = ops.convert_to_tensor(images, "float32")
        maps = self._to_maps(images, training=False)
        weights = ops.mean(_gradient(score, maps), axis=(1, 2), keepdims=True)
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
        ValueError: If there are none, or what follows is no longer about
            places, as in a vision transformer.
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
        raise ValueError(f"{model.name} has no layer with maps at its end.")
    return with_maps[-1]


def _gradient(function: Callable, tensor):
    """Returns the gradient of `function`, a number, at `tensor`.

    Keras has no word for it that all its backends know.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.grad(function)(tensor)
    if backend == "torch":
        import torch

        tensor = tensor.detach().requires_grad_()
        return torch.autograd.grad(function(tensor), tensor)[0]
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(tensor)
        result = function(tensor)
    return tape.gradient(result, tensor)
