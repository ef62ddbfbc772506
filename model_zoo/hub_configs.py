"""Configurations of KerasHub's layers from which they can be built again.

`get_config` of many of them lacks arguments of the constructor, or has others
that it does not take: a model that holds one by itself could be saved, and
never opened. So each such layer of a model gets a complete one.
"""

import functools

import keras

from model_zoo.safe_loading.hub_layers import HUB_LAYERS
from model_zoo.unfreeze import leaf_layers


def complete_configs(model: keras.Model) -> None:
    """Makes a model with layers of KerasHub's own save what opens again.

    Args:
        model: Functional model; layers of KerasHub's that are not among
            `HUB_LAYERS` stay as they are.
    """
    for layer in leaf_layers(model):
        # An Identity that was given a policy has none at all.
        if kind_of_layer(layer) not in HUB_LAYERS and not isinstance(
            layer, keras.layers.Identity
        ):
            continue
        layer.get_config = functools.partial(layer_config, layer)
        if hasattr(layer, "interpolated_position_embeddings"):
            layer.save_own_variables = functools.partial(_save_positions, layer)


def kind_of_layer(layer: keras.Layer) -> tuple[str, str]:
    """Returns module and class of a layer, as a file names them."""
    return type(layer).__module__, type(layer).__name__


def needs_hub(model: keras.Model) -> bool:
    """Returns whether a model only opens where KerasHub is installed."""
    return any(
        type(layer).__module__.startswith("keras_hub.")
        for layer in leaf_layers(model)
    )


def layer_config(layer: keras.Layer) -> dict[str, object]:
    """Returns all arguments that a layer was built with.

    Args:
        layer: Layer of `HUB_LAYERS`, or one without arguments of its own.
    """
    config = {
        "name": layer.name,
        "trainable": layer.trainable,
        "dtype": keras.dtype_policies.serialize(layer.dtype_policy),
    }
    for name in HUB_LAYERS.get(kind_of_layer(layer), ()):
        config[name] = getattr(layer, name)
    return config


def _save_positions(layer, store):
    """Saves the positions of DINOv2 that were trained, without a detour.

    Its own method keeps those of the pretrained size, interpolates both ways,
    and takes positions whose sum has become smaller for unchanged. Here both
    are of one size (`transformers.unfold`).
    """
    layer.position_embeddings.assign(layer.interpolated_position_embeddings)
    keras.Layer.save_own_variables(layer, store)
