"""Allowlist for layers of KerasHub's own, with the arguments of each.

They are in no registry: Keras imports any module of `keras_hub` that a file
names. So only these may be named, with these arguments, each of one kind
(`hub_arguments`) and within its bounds. No Keras is needed here.
"""

import math
from collections.abc import Callable, Mapping

from model_zoo.safe_loading.hub_arguments import KINDS, OF_EVERY_LAYER

HUB_BACKBONES = """
    CSPNetBackbone DINOV2Backbone DINOV3Backbone DeiTBackbone DenseNetBackbone
    EfficientNetBackbone HGNetV2Backbone MiTBackbone MobileNetBackbone
    MobileNetV5Backbone ResNetBackbone SigLIPVisionEncoder
    SwinTransformerBackbone VGGBackbone ViTBackbone XceptionBackbone
""".split()
_ATTENTION = "hidden_dim:count num_heads:count dropout_rate:rate"
_LAYER_SCALE = "hidden_dim:count init_values:scale"
_MLP = "hidden_dim:count intermediate_dim:count activation:activation"
_EFFICIENT = """
    input_filters:count output_filters:count kernel_size:count strides:count
    data_format:channels_last batch_norm_momentum:scale
    batch_norm_epsilon:scale activation:activation dropout:rate nores:flag
"""
_MOBILE = "norm_layer:norm data_format:channels_last channel_axis:last_axis"
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
    "siglip.siglip_layers": {
        "SigLIPVisionEmbedding": """
            hidden_dim:count patch_size:pixels image_size:pixels
            data_format:channels_last
        """,
        "SigLIPMLP": _MLP,
        "SigLIPMultiHeadAttentionPooling": f"""
            {_MLP} num_heads:count layer_norm_epsilon:scale
        """,
    },
    "mit.mit_layers": {
        "OverlappingPatchingAndEmbedding": """
            project_dim:count patch_size:pixels stride:pixels
        """,
        "HierarchicalTransformerEncoder": """
            project_dim:count num_heads:count sr_ratio:count drop_prob:rate
            layer_norm_epsilon:scale
        """,
    },
    "swin_transformer.swin_transformer_layers": {
        "PatchEmbedding": """
            patch_size:pixels embed_dim:count norm_layer:none
            data_format:channels_last
        """,
        "SwinTransformerBlock": """
            dim:count input_resolution:square num_heads:count window_size:few
            shift_size:number mlp_ratio:scale qkv_bias:flag dropout_rate:rate
            attention_dropout:rate drop_path:rate
        """,
        "PatchMerging": "dim:count",
    },
    "efficientnet.cba": {"CBABlock": _EFFICIENT},
    "efficientnet.mbconv": {
        "MBConvBlock": f"{_EFFICIENT} expand_ratio:count se_ratio:rate",
    },
    "efficientnet.fusedmbconv": {
        "FusedMBConvBlock": f"""
            {_EFFICIENT} expand_ratio:count se_ratio:rate
            projection_activation:optional_activation
            projection_kernel_size:count
        """,
    },
    "hgnetv2.hgnetv2_layers": {
        "HGNetV2Embeddings": """
            stem_channels:counts hidden_act:activation
            use_learnable_affine_block:flag data_format:channels_last
            channel_axis:last_axis
        """,
        "HGNetV2Stage": """
            stage_in_channels:counts stage_mid_channels:counts
            stage_out_channels:counts stage_num_blocks:fews
            stage_num_of_layers:fews apply_downsample:flags
            use_lightweight_conv_block:flags stage_kernel_size:counts
            use_learnable_affine_block:flag stage_index:number drop_path:rate
            data_format:channels_last channel_axis:last_axis
        """,
    },
    "mobilenet.mobilenet_backbone": {
        "DepthwiseConvBlock": """
            infilters:count filters:count kernel_size:count stride:count
            squeeze_excite_ratio:optional_rate residual:flag
        """,
        "InvertedResidualBlock": """
            expansion:count infilters:count filters:count kernel_size:count
            stride:count squeeze_excite_ratio:optional_rate
            activation:activation padding:number
        """,
        "ConvBnActBlock": "filter:count activation:activation",
    },
    "mobilenetv5.mobilenetv5_layers": {
        "ConvNormAct": f"""
            out_chs:count kernel_size:count stride:count dilation:count
            groups:count bias:flag pad_type:padding apply_act:flag
            act_layer:activation {_MOBILE}
        """,
    },
    "mobilenetv5.mobilenetv5_blocks": {
        "UniversalInvertedResidual": f"""
            filters:count dw_kernel_size_start:number dw_kernel_size_mid:number
            dw_kernel_size_end:number stride:count dilation:count
            pad_type:padding noskip:flag exp_ratio:scale act_layer:activation
            se_layer:none drop_path_rate:rate
            layer_scale_init_value:optional_scale {_MOBILE}
        """,
        "EdgeResidual": f"""
            filters:count exp_kernel_size:count stride:count dilation:count
            group_size:number pad_type:padding expansion_in_chs:number
            noskip:flag exp_ratio:scale pw_kernel_size:count
            act_layer:activation se_layer:none drop_path_rate:rate {_MOBILE}
        """,
        "MobileNetV5MultiScaleFusionAdapter": f"""
            in_chs:counts filters:count output_resolution:resolution
            expansion_ratio:scale interpolation_mode:interpolation
            layer_scale_init_value:optional_scale noskip:flag
            act_layer:activation {_MOBILE}
        """,
    },
    "mobilenetv5.mobilenetv5_attention": {
        "MobileAttention": f"""
            filters:count stride:count dw_kernel_size:count dilation:count
            pad_type:padding num_heads:count key_dim:count value_dim:count
            use_multi_query:flag query_strides:square kv_stride:count
            cpe_dw_kernel_size:count noskip:flag drop_path_rate:rate
            attn_drop:rate proj_drop:rate layer_scale_init_value:optional_scale
            use_bias:flag use_cpe:flag {_MOBILE}
        """,
    },
}
# Their classes are registered, by this name. Others are by none.
_REGISTERED = {"keras_hub.src.models.hgnetv2.hgnetv2_layers": "keras_hub>"}
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


def registered_name(kind: tuple[str | None, ...]) -> str:
    """Returns the name that Keras looks up before the module of a layer.

    Args:
        kind: Module and class, of `HUB_LAYERS`.
    """
    module, name = kind
    return f"{_REGISTERED.get(str(module), '')}{name}"


def _product(size):
    return size**2 if isinstance(size, int) else math.prod(size)
