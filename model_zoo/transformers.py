"""Vision transformers of KerasHub, one layer for each block.

KerasHub keeps all blocks inside one layer. Here each is a model of its own, in
which the layers are called as the block calls them, with the same weights: so
what comes out is the same to the last bit.
"""

import math
from typing import NamedTuple

import keras

from model_zoo.hub_configs import complete_configs, copy_layer, layer_config
from model_zoo.tokens import EMBEDDING, num_prefix_positions, num_tokens
from thaw.errors import UserError

_NORM, _DROPOUT, _POOLING = "norm", "embedding_dropout", "attention_pooling"


class _Parts(NamedTuple):
    embedding: keras.Layer
    dropout: keras.Layer | None
    blocks: list[keras.Layer]
    norm: keras.Layer
    pooling: keras.Layer | None = None


def is_transformer(backbone: keras.Model) -> bool:
    """Returns whether a backbone of KerasHub has its blocks in one layer."""
    return type(backbone).__name__ in _PARTS


def native_size(backbone: keras.Model) -> int | None:
    """Returns the pixels a side that a backbone was built for, or None."""
    return backbone.inputs[0].shape[1]


def unfold(backbone: keras.Model, image_size: int, name: str) -> keras.Model:
    """Returns a transformer with the layers embedding, block_1, ..., norm.

    For images of another size, the embeddings of positions are interpolated
    as KerasHub does for DINOv2; the rotary ones of DINOv3 fit any size.

    Args:
        backbone: `ViTBackbone`, `DeiTBackbone`, `DINOV2Backbone`,
            `DINOV3Backbone` or `SigLIPVisionEncoder` of KerasHub.
        image_size: Pixels a side.
        name: What the message calls it.

    Returns:
        Model from images (B, image_size, image_size, 3), preprocessed, to
        tokens (B, N, C), or, of SigLIP, which pools them itself, (B, C).

    Raises:
        UserError: If the patches do not divide the image.
    """
    parts = _PARTS[type(backbone).__name__](backbone)
    patch_size = parts.embedding.patch_size
    if isinstance(patch_size, int):
        patch_size = (patch_size, patch_size)
    if any(image_size % size for size in patch_size):
        raise UserError(
            f"`image_size`: {name} divides images into patches of "
            f"{'x'.join(map(str, patch_size))} pixels. Expected a multiple of "
            f"{math.lcm(*patch_size)}. Received: {image_size}"
        )
    dtype = keras.config.dtype_policy().compute_dtype
    image = keras.Input((image_size, image_size, 3), name="images")
    embedding = _embedding_for(parts.embedding, image_size)
    x = embedding(image)
    if x.shape[1] != num_tokens(embedding):  # SigLIP says one too many
        x = x[:, : num_tokens(embedding)]
    if parts.dropout is not None and parts.dropout.rate:
        x = keras.layers.Dropout(parts.dropout.rate, name=_DROPOUT)(x)
    for number, block in enumerate(parts.blocks, start=1):
        for layer in block._layers:  # of the same names in each block
            layer.name = f"block_{number}_{layer.name}"
        tokens = keras.Input(x.shape[1:], name="tokens", dtype=dtype)
        y = block.call(tokens, **_positions(backbone, tokens, image_size))
        y = y[0] if isinstance(y, tuple) else y  # DeiT: scores of attention
        x = keras.Model(tokens, y, name=f"block_{number}")(x)
    x = copy_layer(parts.norm, _NORM, x)
    if parts.pooling is not None:
        x = copy_layer(parts.pooling, _POOLING, x)
    model = keras.Model(image, x)
    complete_configs(model)
    return model


def _parts_of_vit(backbone):
    encoder = backbone.get_layer("vit_encoder")
    return _Parts(
        backbone.get_layer("vit_patching_and_embedding"),
        encoder.dropout,
        encoder.encoder_layers,
        encoder.layer_norm,
    )


def _parts_of_deit(backbone):
    encoder = backbone.get_layer("deit_encoder")
    return _Parts(
        backbone.get_layer("deit_patching_and_embedding"),
        None,
        encoder.encoder_layers,
        encoder.layer_norm,
    )


def _parts_of_dino(backbone):
    return _Parts(
        backbone.embeddings, None, backbone.encoder.layers, backbone.layernorm
    )


def _parts_of_siglip(backbone):
    return _Parts(
        backbone.embedding,
        None,
        backbone.encoder_layers,
        backbone.post_layer_norm,
        backbone.head,
    )


_PARTS = {
    "ViTBackbone": _parts_of_vit,
    "DeiTBackbone": _parts_of_deit,
    "DINOV2Backbone": _parts_of_dino,
    "DINOV3Backbone": _parts_of_dino,
    "SigLIPVisionEncoder": _parts_of_siglip,
}


def _positions(backbone, tokens, image_size):
    """Returns the arguments of a block with rotary positions.

    KerasHub makes these of the image, once; here each block makes them of its
    tokens, so that nothing but tokens flows from block to block. Of either,
    only the number of patches a side counts.
    """
    rope = getattr(backbone, "rope_embedding", None)
    if rope is None:
        return {}
    prefix = 1 + backbone.num_register_tokens
    side = image_size // backbone.patch_size
    grid = keras.layers.Reshape((side, side, tokens.shape[-1]), name="patches")
    config = layer_config(rope) | {"patch_size": 1, "name": "rope"}
    return {
        "position_embeddings": type(rope).from_config(config)(
            grid(tokens[:, prefix:])
        ),
        "num_prefix_tokens": prefix,
    }


def _embedding_for(embedding, image_size):
    """Returns an embedding layer for images of a size, with the same weights.

    Positions that have to be interpolated are the rows of a table after those
    of the class token and the one for distillation. The token for masks, which
    only pretraining uses, is left out: it has no gradient.
    """
    config = layer_config(embedding) | {"name": EMBEDDING}
    if "use_mask_token" in config:
        config["use_mask_token"] = False
    for name in ("image_size", "image_shape", "position_embedding_shape"):
        if name in config:
            is_one = isinstance(config[name], int)
            config[name] = image_size if is_one else (image_size, image_size)
    resized = type(embedding).from_config(config)
    resized.build((None, image_size, image_size, 3))
    of_position = getattr(embedding, "position_embeddings", None)
    weights = []
    used = [x for x in embedding.weights if x.name != "mask_token"]
    for before, now in zip(used, resized.weights, strict=True):
        if before.shape != now.shape or "position_embeddings" in now.name:
            # DINOv2 has two of them, one for another size: now one.
            source = before if of_position is None else of_position
            if "float" in now.dtype:
                before = _interpolated(embedding, source, now.shape[-2])
            else:
                before = now  # SigLIP numbers its positions
        weights.append(keras.ops.convert_to_numpy(before))
    resized.set_weights(weights)
    return resized


def _interpolated(embedding, table, num_rows):
    """Returns a table of positions with another number of rows.

    As `DINOV2Embedding._interpolate_position_embeddings` of KerasHub.

    Args:
        embedding: Layer that `table` is of.
        table: Variable, (1, P, C) or (P, C).
        num_rows: Rows that come out, in place of P.
    """
    rows = keras.ops.reshape(table.value, (1, -1, table.shape[-1]))
    if rows.shape[1] == num_rows:
        return keras.ops.reshape(rows, (*table.shape[:-2], num_rows, -1))
    prefix = num_prefix_positions(embedding)
    side = math.isqrt(rows.shape[1] - prefix)
    new_side = math.isqrt(num_rows - prefix)
    patches = keras.ops.image.resize(
        keras.ops.reshape(
            keras.ops.cast(rows[:, prefix:], "float32"),
            (1, side, side, rows.shape[-1]),
        ),
        (new_side, new_side),
        interpolation="bicubic",
        antialias=getattr(embedding, "antialias_in_interpolation", False),
        data_format="channels_last",
    )
    rows = keras.ops.concatenate(
        [rows[:, :prefix], keras.ops.reshape(patches, (1, -1, rows.shape[-1]))],
        axis=1,
    )
    return keras.ops.reshape(rows, (*table.shape[:-2], num_rows, -1))
