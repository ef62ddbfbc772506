"""Allowlist for layers of KerasHub's own, with the arguments of each.

They are in no registry: Keras imports any module of `keras_hub` that a file
names. So only these may be named, with these arguments, each of one kind
(`hub_arguments`) and within its bounds. No Keras is needed here.
"""

import math
from collections.abc import Callable, Mapping

from model_zoo.safe_loading.hub_arguments import KINDS, OF_EVERY_LAYER

_ATTENTION = "hidden_dim:count num_heads:count dropout_rate:rate"
_LAYER_SCALE = "hidden_dim:count init_values:scale"
_MLP = "hidden_dim:count intermediate_dim:count activation:activation"
_LAYERS = {
    "vit.vit_layers": {
        "ViTPatchingAndEmbedding": """
            image_size:square patch_size:square hidden_dim:count
            num_channels:count use_class_token:flag use_patch_bias:flag
            data_format:channels_last
        """,
        "MLP": "hidden_dim:count mlp_dim:count use_bias:flag dropout_rate:rate",
    },
    "deit.deit_layers": {
        "DeiTEmbeddings": """
            image_size:square patch_size:square hidden_dim:count
            num_channels:count use_mask_token:flag dropout_rate:rate
            data_format:channels_last
        """,
        "DeiTIntermediate": "intermediate_dim:count",
        "DeiTOutput": "hidden_dim:count dropout_rate:rate",
    },
    "dinov2.dinov2_layers": {
        "DINOV2Embedding": """
            hidden_dim:count patch_size:pixels image_shape:square
            num_register_tokens:number use_mask_token:flag dropout_rate:rate
            position_embedding_shape:square antialias_in_interpolation:flag
            data_format:channels_last
        """,
        "DINOV2Attention": _ATTENTION,
        "DINOV2LayerScale": _LAYER_SCALE,
        "DINOV2DropPath": "rate:rate",
        "DINOV2MLP": _MLP,
        "DINOV2SwiGLUFFN": "hidden_dim:count intermediate_dim:count",
    },
    "dinov3.dinov3_layers": {
        "DINOV3Embedding": """
            hidden_dim:count patch_size:pixels num_register_tokens:number
            use_mask_token:flag initializer_range:scale
            data_format:channels_last
        """,
        "DINOV3RopePositionEmbedding": """
            hidden_dim:count num_heads:count rope_theta:scale patch_size:pixels
            data_format:channels_last
        """,
        "DINOV3Attention": f"""
            {_ATTENTION} use_query_bias:flag use_key_bias:flag
            use_value_bias:flag use_proj_bias:flag
        """,
        "DINOV3LayerScale": _LAYER_SCALE,
        "DINOV3DropPath": "rate:rate",
        "DINOV3MLP": f"{_MLP} use_bias:flag",
        "DINOV3GatedMLP": f"{_MLP} use_bias:flag",
    },
}
_MOST_NUMBERS = 1 << 26  # of a table of positions, which is made at once


def _read(arguments):
    pairs = (text.split(":") for text in arguments.split())
    return {name: KINDS[kind] for name, kind in pairs}


HUB_LAYERS: Mapping[tuple[str | None, ...], Mapping[str, Callable]] = {
    (f"keras_hub.src.models.{module}", name): _read(arguments)
    for module, layers in _LAYERS.items()
    for name, arguments in layers.items()
}


def find_wrong_argument(
    kind: tuple[str | None, ...], config: Mapping
) -> str | None:
    """Returns the name of an argument that a layer may not have; None: none.

    Args:
        kind: Module and class, of `HUB_LAYERS`.
        config: What the layer is configured with.
    """
    arguments = OF_EVERY_LAYER | dict(HUB_LAYERS[kind])
    for name, value in config.items():
        if name not in arguments or not arguments[name](value):
            return str(name)
    for name in ("image_size", "image_shape", "position_embedding_shape"):
        if name in config:
            patches = _product(config[name]) // _product(
                config.get("patch_size", 1)
            )
            if patches * config.get("hidden_dim", 1) > _MOST_NUMBERS:
                return name
    return None


def _product(size):
    return size**2 if isinstance(size, int) else math.prod(size)
