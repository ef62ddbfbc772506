"""Freezing and unfreezing the layers of the base."""

import math

import keras

from model_zoo.backbones import POOLING_MODES, did_you_mean
from model_zoo.layer_names import HEAD_PREFIX, is_name_of_ours
from model_zoo.tokens import EMBEDDING, token_blocks
from thaw.errors import UserError


def unfreeze(
    model: keras.Model, unfreeze_from: str, train_batch_norm: bool = False
) -> list[str]:
    """Sets what trains: the layer `unfreeze_from`, and all after it.

    "After" is the order of `model.layers`, in which every layer comes after
    those it takes its input from. BatchNormalization of the base stays frozen
    (with its moving statistics) unless `train_batch_norm`, because `fit` moves
    the statistics of any that trains, whatever the base was called with
    (keras#20285). Compile the model again afterwards, with a new optimizer.

    Args:
        model: Model of `build_model`; changed in place.
        unfreeze_from: Name of a layer of the base, `none` (only the head
            trains) or `all`.
        train_batch_norm: Whether BatchNormalization after the unfreeze point
            trains too.

    Returns:
        The paths of the variables that train, in the order of the model.

    Raises:
        UserError: If the base has no such layer; the nearest names are given.
    """
    first = model.layers.index(first_trained_layer(model, unfreeze_from))
    # A container that does not train hides the variables of its children, and
    # setting its flag sets theirs: so the containers first, then each leaf.
    for container in containers(model):
        container.trainable = True
    expected = []
    for position, layer in enumerate(model.layers):
        for leaf in leaf_layers(layer):
            # A layer that trains already doesn't pass it on to those inside.
            for inner in leaf._flatten_layers():
                inner.trainable = position >= first and (
                    train_batch_norm
                    or not isinstance(inner, keras.layers.BatchNormalization)
                )
            expected += [variable.path for variable in leaf.trainable_variables]
    trained = [variable.path for variable in model.trainable_variables]
    if sorted(trained) != sorted(expected):
        raise RuntimeError(
            "Keras trains other variables than asked for: "
            f"{sorted(set(trained) ^ set(expected))}"
        )
    return trained


def first_trained_layer(model: keras.Model, unfreeze_from: str) -> keras.Layer:
    """Returns the first layer that trains, of the model's own layers.

    For the head alone that is the first after the pooling, which has nothing
    to train: so the features of the frozen base are as small as can be.

    Args:
        model: Model of `build_model`.
        unfreeze_from: Layer name, `none` or `all`, as in `unfreeze`.

    Raises:
        UserError: If the base has no such layer.
    """
    if unfreeze_from == "none":
        return next(
            layer
            for layer in model.layers
            if layer.name.startswith(HEAD_PREFIX)
            and layer.name.split("_")[1] not in POOLING_MODES
        )
    if unfreeze_from == "all":
        return next(layer for layer in model.layers if layer.weights)
    names = {layer.name: layer for layer in base_layers(model)}
    if unfreeze_from not in names:
        raise UserError(
            f"`unfreeze_from`: {model.name} has no layer '{unfreeze_from}'."
            f"{did_you_mean(unfreeze_from, names)} Or give none or all. (All "
            "layers: python train.py --list_layers)"
        )
    return names[unfreeze_from]


def base_layers(model: keras.Model) -> list[keras.Layer]:
    """Returns the layers of the base in order, without input and head."""
    return [layer for layer in model.layers if not is_name_of_ours(layer.name)]


def containers(model: keras.Model) -> list[keras.Model]:
    """Returns `model` and all models inside it."""
    inner = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    return [model] + [found for layer in inner for found in containers(layer)]


def leaf_layers(layer: keras.Layer) -> list[keras.Layer]:
    """Returns `layer`, or the layers inside it if it is itself a model."""
    if not isinstance(layer, keras.Model):
        return [layer]
    return [leaf for child in layer.layers for leaf in leaf_layers(child)]


def block_starts(model: keras.Model) -> list[str]:
    """Returns where one may unfreeze from, in order: each block's first layer.

    A block begins with the first layer of the base that has weights after the
    maps have become smaller, or the tokens fewer. Smaller maps with larger ones
    after them, as in squeeze-and-excitation, begin none. The blocks of a
    transformer are layers, and the embedding comes before them.

    Args:
        model: Model of `build_model`, or read from its file.
    """
    if blocks := token_blocks(model):
        return [EMBEDDING, *(layer.name for layer in blocks)]
    starts, size, largest = [], 0, 0  # of maps: of the block, and later on
    for layer in reversed(base_layers(model)):
        shape = getattr(layer.output, "shape", ())
        if isinstance(layer, keras.layers.ZeroPadding2D) or (
            len(shape) not in (3, 4)
        ):
            continue
        pixels = math.prod(shape[1:-1])
        if layer.weights and pixels >= largest:
            if pixels == size:
                starts.pop()
            starts.append(layer.name)
            size = pixels
        largest = max(largest, pixels)
    return starts[::-1]
