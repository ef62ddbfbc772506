"""Presets of KerasHub in small, with random weights: one for each family."""

import numpy as np

SIZE = 32  # pixels a side
_TRANSFORMER = {"num_layers": 2, "hidden_dim": 16, "num_heads": 2}
_IMAGE = (SIZE, SIZE, 3)
TRANSFORMERS = {
    "ViT": (
        "ViTBackbone",
        {
            **_TRANSFORMER,
            "image_shape": _IMAGE,
            "patch_size": 8,
            "mlp_dim": 32,
            "dropout_rate": 0.1,
        },
    ),
    "DeiT": (
        "DeiTBackbone",
        {
            **_TRANSFORMER,
            "image_shape": _IMAGE,
            "patch_size": 8,
            "intermediate_dim": 32,
        },
    ),
    "DINOV2": (
        "DINOV2Backbone",
        {
            **_TRANSFORMER,
            "image_shape": _IMAGE,
            "patch_size": 8,
            "intermediate_dim": 32,
            "num_register_tokens": 3,
            "position_embedding_shape": (48, 48, 3),
        },
    ),
    "DINOV2 with SwiGLU": (
        "DINOV2Backbone",
        {
            **_TRANSFORMER,
            "image_shape": _IMAGE,
            "patch_size": 8,
            "intermediate_dim": 32,
            "use_swiglu_ffn": True,
            "position_embedding_shape": _IMAGE,
        },
    ),
    "DINOV3": (
        "DINOV3Backbone",
        {
            **_TRANSFORMER,
            "image_shape": _IMAGE,
            "patch_size": 8,
            "intermediate_dim": 32,
            "num_register_tokens": 2,
        },
    ),
    "DINOV3 with gates": (
        "DINOV3Backbone",
        {
            **_TRANSFORMER,
            "image_shape": _IMAGE,
            "patch_size": 8,
            "intermediate_dim": 32,
            "use_gated_mlp": True,
            "use_key_bias": False,
            "hidden_activation": "silu",
        },
    ),
}


def save_preset(folder, family, families=TRANSFORMERS):
    """Saves a preset in a folder that is not there, and returns its backbone.

    Every number of its weights is random, also those that start as zero.
    """
    import keras_hub

    class_name, options = families[family]
    backbone = getattr(keras_hub.models, class_name)(**options)
    rng = np.random.default_rng(7)
    for weight in backbone.weights:
        if "float" in weight.dtype:
            low = 0.5 if "variance" in weight.path else -0.5
            weight.assign(rng.uniform(low, low + 1, weight.shape))
    backbone.save_to_preset(str(folder))
    keras_hub.layers.ImageConverter(
        image_size=(SIZE, SIZE), scale=1 / 127.5, offset=-1.0
    ).save_to_preset(str(folder))
    # What is interpolated is so when it is loaded.
    return keras_hub.models.Backbone.from_preset(str(folder))
