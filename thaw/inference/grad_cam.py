"""Grad-CAM: heat maps of the places on a photo that speak for a class."""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from model_zoo.boundary import boundary_tensors
from model_zoo.nested import layer_output, open_holder
from model_zoo.tokens import num_prefix_tokens, patches_a_side, token_blocks
from model_zoo.unfreeze import base_layers
from thaw.errors import UserError


class _Cut(NamedTuple):
    """The cut that divides a model in two.

    Attributes:
        model: The model, perhaps with the layers of its last block as its own.
        tensors: All that flows from the first part into the second.
        maps: Index of the maps among them.
    """

    model: keras.Model
    tensors: list[keras.KerasTensor]
    maps: int = 0


class GradCam:
    """Heat maps of a class, for any number of batches.

    The maps of a layer, each weighted by the mean gradient of the score of
    the class, are added, and what speaks against it is left out (Selvaraju et
    al. 2017, arXiv:1610.02391, section 3). The score is the input of the last
    sigmoid or softmax, which itself would flatten the gradient where the model
    is sure.

    Of a vision transformer, the maps are the patches where the attention of
    the last block takes them in, normalised: what comes out of the block is
    for each patch its own, and where the class token alone is used, no longer
    says anything about the class. The class token and registers are left out.
    """

    def __init__(self, model: keras.Model, layer_name: str | None = None):
        """Splits the model.

        Args:
            model: Functional model that ends with a Dense layer, e.g. that of
                `build_model`.
            layer_name: Layer whose maps, (B, h, w, channels), or tokens of a
                square image, (B, tokens, channels), are taken. None: the last
                that does more than pool.

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
        self._num_prefix = num_prefix_tokens(model)
        if layer_name is None and token_blocks(model):
            cut = _cut_at_attention(model)
        else:
            layer = (
                _last_map_layer(model, self._num_prefix)
                if layer_name is None
                else model.get_layer(layer_name)
            )
            cut = _Cut(model, [layer_output(model, layer.name)])
            if not _has_places(cut.tensors[0].shape, self._num_prefix):
                raise UserError(
                    f"No Grad-CAM: '{layer.name}' has no maps. Received: "
                    f"output of shape {layer.output.shape}"
                )
        self._maps = cut.maps
        start = model.input
        if any(layer.name == "resize" for layer in model.layers):
            start = layer_output(cut.model, "resize")
        self._to_maps = keras.Model(start, cut.tensors)
        last, node, _ = cut.model.outputs[0]._keras_history
        (score_input,) = last._inbound_nodes[node].input_tensors
        self._rest = keras.Model(cut.tensors, score_input)
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
        tensors = keras.tree.flatten(
            self._to_maps(tf.constant(images, "float32"), training=False)
        )
        maps = tensors[self._maps]
        with tf.GradientTape() as tape:
            tape.watch(maps)
            rest = self._rest(tensors, training=False)
            # The bias does not depend on the maps.
            scores = ops.matmul(rest, self._last.kernel)
            score = ops.sum(ops.cast(scores, "float32") * signs)
        gradient = self._places(tape.gradient(score, maps))
        maps = self._places(maps)
        weights = ops.mean(gradient, axis=(1, 2), keepdims=True)
        heat = ops.relu(ops.sum(ops.cast(weights * maps, "float32"), axis=-1))
        highest = ops.max(heat, axis=(1, 2), keepdims=True)
        heat = heat / ops.where(highest > 0, highest, 1.0)
        return ops.convert_to_numpy(heat)

    def _places(self, maps):
        """Returns maps as they are, and patches as maps: (B, h, w, C)."""
        if len(maps.shape) == 4:
            return maps
        _, num_tokens, channels = maps.shape
        side = patches_a_side(num_tokens, self._num_prefix)
        patches = maps[:, self._num_prefix :]
        return ops.reshape(patches, (-1, side, side, channels))


def grad_cam(
    model: keras.Model,
    images: np.ndarray,
    classes: np.ndarray,
    layer_name: str | None = None,
) -> np.ndarray:
    """Returns `GradCam(model, layer_name)(images, classes)`, for one batch."""
    return GradCam(model, layer_name)(images, classes)


def _cut_at_attention(model):
    """Returns the cut after the first normalization of the last block."""
    block = token_blocks(model)[-1]
    norm = next(
        layer
        for layer in block.operations
        if isinstance(layer, keras.layers.LayerNormalization)
    )
    opened = open_holder(model, block)
    following = opened.operations[opened.operations.index(norm) + 1]
    tensors = boundary_tensors(opened, following)
    maps = layer_output(opened, norm.name)
    return _Cut(opened, tensors, [id(x) for x in tensors].index(id(maps)))


def _last_map_layer(model, num_prefix):
    """Returns the last layer of the base with maps, but for pooling.

    Raises:
        UserError: If there is none, or the layers after it mix places.
    """
    layers = [x for x in base_layers(model) if hasattr(x.output, "shape")]
    with_maps = [x for x in layers if _has_places(x.output.shape, num_prefix)]
    while with_maps and "Pooling" in type(with_maps[-1]).__name__:
        with_maps.pop()
    learned = [layer for layer in layers if layer.weights]
    if not with_maps or (learned and learned[-1] not in with_maps):
        raise UserError(
            f"No Grad-CAM: {model.name} has no layer with maps at its end."
        )
    return with_maps[-1]


def _has_places(shape, num_prefix):
    """Returns whether numbers are of places: maps, or patches of a square."""
    if len(shape) == 3 and shape[1] is not None:
        return patches_a_side(shape[1], num_prefix) is not None
    return len(shape) == 4 and shape[1] != 1
