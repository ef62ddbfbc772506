"""Configurations of KerasHub's layers from which they can be built again.

`get_config` of many of them lacks arguments of the constructor, or has others
that it does not take: a model that holds one by itself could be saved, and
never opened. So each such layer of a model gets a complete one.
"""

import functools
import operator

import keras

from model_zoo.safe_loading.hub_layers import HUB_LAYERS, find_wrong_argument
from model_zoo.unfreeze import leaf_layers
from thaw.errors import UserError

# Arguments that a layer keeps under another name, or a layer of it does.
_KEPT_AS = {
    "HierarchicalTransformerEncoder": {
        "sr_ratio": "attn.sr_ratio",
        "drop_prob": "drop_prop",
        "layer_norm_epsilon": "norm1.epsilon",
    },
    "SwinTransformerBlock": {
        "window_size": "attn.win_h",
        "qkv_bias": "attn.qkv_bias",
        "dropout_rate": "attn.proj_drop_rate",
        "attention_dropout": "attn.attn_drop_rate",
    },
    "MobileAttention": {
        "norm_layer": "norm_layer_name",
        "attn_drop": "attn_drop_rate",
        "proj_drop": "proj_drop_rate",
    },
    "MobileNetV5MultiScaleFusionAdapter": {
        "output_resolution": "output_resolution_arg",
        "norm_layer": "norm_layer_name",
    },
}


# Layers that give those inside them no dtype: opened elsewhere, it's another.
_FLOAT32_ONLY = {
    "CBABlock",
    "FusedMBConvBlock",
    "HierarchicalTransformerEncoder",
    "MBConvBlock",
    "OverlappingPatchingAndEmbedding",
}


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
        if type(layer).build is keras.Layer.build:
            # Keras would take it for built that only a call builds.
            layer.get_build_config = _no_build_config
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
    kept_as = _KEPT_AS.get(type(layer).__name__, {})
    for name in HUB_LAYERS.get(kind_of_layer(layer), ()):
        config[name] = operator.attrgetter(kept_as.get(name, name))(layer)
    if type(layer).__name__ == "SwinTransformerBlock":
        # A layer by that name, which is another one where nothing is dropped.
        config["drop_path"] = getattr(layer.drop_path, "drop_prob", 0.0)
    if type(layer).__name__ == "DepthwiseConvBlock":
        config["name"] = layer.name.removesuffix("_0")  # it adds that itself
    return config


def copy_layer(
    layer: keras.Layer, name: str, *inputs: keras.KerasTensor, **options
) -> keras.KerasTensor:
    """Returns what a layer with the same weights and another name makes.

    Args:
        layer: Layer of Keras, or of `HUB_LAYERS`.
        name: Name of the new layer.
        inputs, options: What it is called with.
    """
    if kind_of_layer(layer) in HUB_LAYERS:
        config = layer_config(layer)
    else:
        config = layer.get_config()
    copy = type(layer).from_config(config | {"name": name})
    outputs = copy(*inputs, **options)
    copy.set_weights(layer.get_weights())
    return outputs


def check_precision(model: keras.Model, name: str) -> None:
    """Raises a `UserError` if a model can't compute as it is asked to now.

    Args:
        model: Functional model.
        name: What the message calls it.
    """
    policy = keras.config.dtype_policy().name
    kinds = {type(layer).__name__ for layer in leaf_layers(model)}
    if policy != "float32" and kinds & _FLOAT32_ONLY:
        raise UserError(
            f"`precision`: the layers of {name} forget half precision when "
            f"they are saved. Expected float32. Received: {policy}"
        )


def check_arguments(model: keras.Model, name: str) -> None:
    """Raises a `UserError` if a model has what would not open again.

    Args:
        model: Functional model.
        name: What the message calls it.
    """
    foreign = set()
    for layer in leaf_layers(model):
        kind = kind_of_layer(layer)
        if kind in HUB_LAYERS:
            wrong = find_wrong_argument(kind, layer_config(layer))
            if wrong is not None:
                raise UserError(
                    f"{name} can't be used: the {wrong} of its {kind[1]} "
                    f"'{layer.name}' would not open again."
                )
        elif not kind[0].startswith("keras."):
            foreign.add(kind[1])
    if foreign:
        raise UserError(
            f"{name} has layers of KerasHub's own that no model may have "
            f"here ({', '.join(sorted(foreign))}): see docs/backbones.md."
        )


def _no_build_config():
    return None


def _save_positions(layer, store):
    """Saves the positions of DINOv2 that were trained, without a detour.

    Its own method keeps those of the pretrained size, interpolates both ways,
    and takes positions whose sum has become smaller for unchanged. Here both
    are of one size (`transformers.unfold`).
    """
    layer.position_embeddings.assign(layer.interpolated_position_embeddings)
    keras.Layer.save_own_variables(layer, store)
