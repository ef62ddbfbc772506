"""Tokens of vision transformers: blocks, class token, patches."""

import math
import re

import keras

EMBEDDING = "embedding"  # makes tokens of an image
_BLOCK = re.compile(r"block_\d+")


def token_blocks(model: keras.Model) -> list[keras.Model]:
    """Returns the blocks of a transformer, in order; of others none.

    Args:
        model: Model of `build_model`, its base, or read from its file.
    """
    return [
        layer
        for layer in model.layers
        if isinstance(layer, keras.Model)
        and _BLOCK.fullmatch(layer.name)
        and len(layer.output.shape) == 3
    ]


def num_prefix_tokens(model: keras.Model) -> int:
    """Returns how many tokens come before those of the patches.

    They are the class token, if there is one, and those for distillation and
    registers.

    Args:
        model: As in `token_blocks`.
    """
    for layer in model.layers:
        if layer.name == EMBEDDING and hasattr(layer, "patch_size"):
            return num_tokens(layer) - _num_patches(layer)
    return 0


def num_tokens(embedding: keras.Layer) -> int:
    """Returns how many tokens an embedding layer makes of an image.

    Args:
        embedding: Embedding layer of a transformer of KerasHub.
    """
    registers = getattr(embedding, "num_register_tokens", 0)
    prefix = num_prefix_positions(embedding) + registers
    return prefix + _num_patches(embedding)


def num_prefix_positions(embedding: keras.Layer) -> int:
    """Returns how many positions come before those of the patches.

    Args:
        embedding: Embedding layer of a transformer of KerasHub.
    """
    if not hasattr(embedding, "num_positions"):
        return 1  # DINOv2, and DINOv3, which has no positions: a class token
    sizes = zip(
        _pair(embedding.image_size), _pair(embedding.patch_size), strict=True
    )
    return embedding.num_positions - math.prod(x // y for x, y in sizes)


def _num_patches(embedding):
    height_and_width = embedding.input.shape[1:3]
    sizes = zip(height_and_width, _pair(embedding.patch_size), strict=True)
    return math.prod(x // y for x, y in sizes)


def patches_a_side(num_tokens: int, num_prefix: int) -> int | None:
    """Returns how many patches a square image has a side; None: not square."""
    side = math.isqrt(max(num_tokens - num_prefix, 0))
    return side if side > 1 and side**2 == num_tokens - num_prefix else None


def _pair(size):
    return (size, size) if isinstance(size, int) else size
