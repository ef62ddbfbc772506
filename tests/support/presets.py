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

OTHERS = {
    "SigLIP": (
        "SigLIPVisionEncoder",
        {
            **_TRANSFORMER,
            "image_shape": _IMAGE,
            "patch_size": 8,
            "intermediate_dim": 32,
        },
    ),
    "MiT": (
        "MiTBackbone",
        {
            "layerwise_depths": [1, 1],
            "num_layers": 2,
            "layerwise_num_heads": [1, 2],
            "layerwise_sr_ratios": [2, 1],
            "max_drop_path_rate": 0.1,
            "layerwise_patch_sizes": [7, 3],
            "layerwise_strides": [4, 2],
            "image_shape": _IMAGE,
            "hidden_dims": [8, 16],
        },
    ),
    "Swin": (
        "SwinTransformerBackbone",
        {
            "image_shape": _IMAGE,
            "embed_dim": 8,
            "depths": [2, 1],
            "num_heads": [1, 2],
            "window_size": 4,
        },
    ),
    "ResNet": (
        "ResNetBackbone",
        {
            "input_conv_filters": [8],
            "input_conv_kernel_sizes": [7],
            "stackwise_num_filters": [64, 8],
            "stackwise_num_blocks": [1, 1],
            "stackwise_num_strides": [1, 2],
            "block_type": "bottleneck_block",
        },
    ),
    "DenseNet": (
        "DenseNetBackbone",
        {"stackwise_num_repeats": [2, 2], "growth_rate": 4},
    ),
    "EfficientNet": (
        "EfficientNetBackbone",
        {
            "stackwise_width_coefficients": [1.0, 1.0, 1.0],
            "stackwise_depth_coefficients": [1.0, 1.0, 1.0],
            "stackwise_kernel_sizes": [3, 3, 3],
            "stackwise_num_repeats": [1, 2, 1],
            "stackwise_input_filters": [8, 8, 8],
            "stackwise_output_filters": [8, 8, 16],
            "stackwise_expansion_ratios": [1, 2, 2],
            "stackwise_squeeze_and_excite_ratios": [0.0, 0.25, 0.25],
            "stackwise_strides": [1, 2, 2],
            "stackwise_block_types": ["cba", "fused", "unfused"],
            "stackwise_force_input_filters": [0, 0, 0],
            "stackwise_nores_option": [False, False, False],
        },
    ),
    "HGNetV2": (
        "HGNetV2Backbone",
        {
            "depths": [1, 1],
            "embedding_size": 8,
            "hidden_sizes": [16, 16],
            "stem_channels": [3, 8, 8],
            "hidden_act": "relu",
            "use_learnable_affine_block": True,
            "stackwise_stage_filters": [
                (8, 8, 16, 1, 1, 3),
                (16, 8, 16, 1, 2, 3),
            ],
            "apply_downsample": [False, True],
            "use_lightweight_conv_block": [False, True],
            "image_shape": _IMAGE,
        },
    ),
    "MobileNet": (
        "MobileNetBackbone",
        {
            "stackwise_expansion": [[8], [16]],
            "stackwise_num_blocks": [1, 1],
            "stackwise_num_filters": [[8], [8]],
            "stackwise_kernel_size": [[3], [5]],
            "stackwise_num_strides": [[1], [2]],
            "stackwise_se_ratio": [[None], [0.25]],
            "stackwise_activation": [["relu"], ["hard_swish"]],
            "stackwise_padding": [[1], [2]],
            "output_num_filters": 16,
            "depthwise_filters": 8,
            "depthwise_stride": 2,
            "depthwise_residual": False,
            "last_layer_filter": 16,
            "squeeze_and_excite": 0.5,
            "input_num_filters": 8,
            "image_shape": _IMAGE,
        },
    ),
    "MobileNetV5": (
        "MobileNetV5Backbone",
        {
            "stackwise_block_types": [["er"], ["uir", "mqa"]],
            "stackwise_num_blocks": [1, 2],
            "stackwise_num_filters": [[8], [16, 16]],
            "stackwise_strides": [[2], [2, 1]],
            "stackwise_act_layers": [["gelu"], ["gelu", "gelu"]],
            "stackwise_exp_ratios": [[2.0], [2.0, 2.0]],
            "stackwise_se_ratios": [[0.0], [0.0, 0.0]],
            "stackwise_dw_kernel_sizes": [[0], [3, 0]],
            "stackwise_dw_start_kernel_sizes": [[0], [3, 0]],
            "stackwise_dw_end_kernel_sizes": [[0], [0, 0]],
            "stackwise_exp_kernel_sizes": [[3], [0, 0]],
            "stackwise_pw_kernel_sizes": [[1], [0, 0]],
            "stackwise_num_heads": [[0], [0, 2]],
            "stackwise_key_dims": [[0], [0, 8]],
            "stackwise_value_dims": [[0], [0, 8]],
            "stackwise_kv_strides": [[0], [0, 1]],
            "stackwise_use_cpe": [[False], [False, False]],
            "stem_size": 8,
            "num_features": 16,
            "msfa_output_resolution": 4,
            "layer_scale_init_value": 1e-2,
        },
    ),
    "CSPNet": (
        "CSPNetBackbone",
        {
            "stem_filters": 8,
            "stem_kernel_size": 3,
            "stem_strides": 1,
            "stackwise_depth": [1, 1],
            "stackwise_strides": [2, 2],
            "stackwise_num_filters": [8, 16],
            "block_type": "dark_block",
            "stage_type": "csp",
            "bottle_ratio": [0.5, 1.0],
            "block_ratio": [1.0, 0.5],
            "expand_ratio": [2.0, 1.0],
            "down_growth": True,
        },
    ),
    "VGG": (
        "VGGBackbone",
        {
            "stackwise_num_repeats": [1, 1, 1],
            "stackwise_num_filters": [8, 8, 16],
        },
    ),
    "Xception": (
        "XceptionBackbone",
        {
            "stackwise_conv_filters": [[8, 8], [8, 16], [16, 16]],
            "stackwise_pooling": [True, True, False],
        },
    ),
}
FAMILIES = TRANSFORMERS | OTHERS


def save_preset(folder, family):
    """Saves a preset in a folder that is not there, and returns its backbone.

    Every number of its weights is random, also those that start as zero.
    """
    import keras_hub

    class_name, options = FAMILIES[family]
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
