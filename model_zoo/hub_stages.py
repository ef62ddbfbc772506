"""Swin and HGNetV2 of KerasHub, whose stages are layers of layers, unfolded."""

import keras

from model_zoo.hub_configs import complete_configs, copy_layer, layer_config


def has_stages(backbone: keras.Model) -> bool:
    """Returns whether a backbone of KerasHub has blocks inside its stages."""
    return type(backbone).__name__ in _UNFOLD


def unfold_stages(backbone: keras.Model) -> keras.Model:
    """Returns a backbone with a layer for each block or stage, from one image.

    Its layers are called as KerasHub calls them, with the same weights.

    Args:
        backbone: `SwinTransformerBackbone` or `HGNetV2Backbone`.
    """
    image = keras.Input(backbone.inputs[0].shape[1:], name="images")
    model = keras.Model(
        image, _UNFOLD[type(backbone).__name__](backbone, image)
    )
    complete_configs(model)
    return model


def _unfold_swin(backbone, image):
    embedding = backbone.patch_embedding
    # Its normalization is given as a class, which no file may name.
    config = layer_config(embedding) | {"norm_layer": None}
    patches = type(embedding).from_config(config)
    x = patches(image)
    patches.set_weights(embedding.proj.get_weights())
    if embedding.norm is not None:
        x = copy_layer(embedding.norm, "patch_norm", x)
    x = copy_layer(backbone.get_layer("pos_drop"), "pos_drop", x)
    for i, stage in enumerate(backbone.stages, start=1):
        for j, block in enumerate(stage.blocks, start=1):
            x = copy_layer(block, f"stage{i}_block{j}", x)
        if stage.downsample is not None:
            height, width = stage.input_resolution
            dtype = keras.config.dtype_policy().compute_dtype
            tokens = keras.Input(x.shape[1:], name="tokens", dtype=dtype)
            name = f"stage{i}_reduction"
            y = copy_layer(stage.downsample, name, tokens, H=height, W=width)
            # Which doesn't say how many tokens it makes.
            shape = ((height + 1) // 2) * ((width + 1) // 2), y.shape[-1]
            y = keras.layers.Reshape(shape, name=f"stage{i}_tokens")(y)
            x = keras.Model(tokens, y, name=f"stage{i}_merge")(x)
    return copy_layer(backbone.norm, "norm", x)


def _unfold_hgnet(backbone, image):
    """The last of its maps, which come in a dict."""
    x = copy_layer(backbone.embedder_layer, "stem", image)
    for i, stage in enumerate(backbone.encoder_layer.stages_list, start=1):
        x = copy_layer(stage, f"stage{i}", x)
    return x


_UNFOLD = {
    "SwinTransformerBackbone": _unfold_swin,
    "HGNetV2Backbone": _unfold_hgnet,
}
