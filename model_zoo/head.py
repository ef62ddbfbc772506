"""The head: the new layers on top of the base."""

import keras
from keras import layers

from model_zoo.backbones import POOLING_MODES
from model_zoo.layer_names import HEAD_PREFIX, OUTPUT
from thaw.errors import UserError


def build_head(
    features: keras.KerasTensor,
    num_classes: int,
    *,
    pooling: str,
    flatten_by_default: bool,
    num_prefix_tokens: int,
    hidden_units: int,
    dropout: float,
) -> keras.KerasTensor:
    """Returns the predictions of a new head on `features`.

    Pooling, Dense (ReLU), Dropout, Dense: the classic head. One sigmoid unit
    for two classes (the probability of class 1), softmax for more.

    Args:
        features: Keras tensor, (B, H, W, C), tokens (B, N, C) or, already
            pooled, (B, C).
        num_classes: Number of classes, >= 2.
        pooling: One of `POOLING_MODES`; of no effect on (B, C).
        flatten_by_default: Whether `auto` means `flatten` rather than `avg`.
        num_prefix_tokens: Tokens before those of the patches; the first is
            the class token.
        hidden_units: Width of the hidden Dense layer; 0 leaves it out.
        dropout: Share of the hidden units dropped in training, in [0, 1).

    Returns:
        Keras tensor, float32 (B, 1) or (B, num_classes).

    Raises:
        UserError: If an argument is outside these bounds.
    """
    if num_classes < 2:
        raise UserError(
            f"`num_classes` must be at least 2. Received: {num_classes}"
        )
    if hidden_units < 0:
        raise UserError(
            f"`hidden_units` must be at least 0. Received: {hidden_units}"
        )
    if not 0 <= dropout < 1:
        raise UserError(f"`dropout` must be in [0, 1). Received: {dropout}")
    if pooling not in POOLING_MODES:
        raise UserError(
            f"`pooling` must be one of {', '.join(POOLING_MODES)}. "
            f"Received: {pooling!r}"
        )
    x = features
    if len(x.shape) == 4:
        if pooling == "auto":
            pooling = "flatten" if flatten_by_default else "avg"
        x = _pool_maps(x, pooling)
    elif len(x.shape) == 3:
        if pooling == "auto":
            pooling = "cls" if num_prefix_tokens else "avg"
        x = _pool_tokens(x, pooling, num_prefix_tokens)
    if hidden_units:
        x = layers.Dense(
            hidden_units, activation="relu", name=HEAD_PREFIX + "hidden"
        )(x)
    if dropout:
        x = layers.Dropout(dropout, name=HEAD_PREFIX + "dropout")(x)
    return layers.Dense(
        1 if num_classes == 2 else num_classes,
        activation="sigmoid" if num_classes == 2 else "softmax",
        name=OUTPUT,
        dtype="float32",  # half precision is not enough for the loss
    )(x)


def _pool_maps(maps, pooling):
    pooling_layers = {
        "flatten": layers.Flatten,
        "avg": layers.GlobalAveragePooling2D,
        "max": layers.GlobalMaxPooling2D,
    }
    if pooling not in pooling_layers:
        raise UserError(
            "`pooling` must be auto, flatten, avg or max for a base that makes "
            f"maps: it has no class token. Received: {pooling!r}"
        )
    return pooling_layers[pooling](name=HEAD_PREFIX + pooling)(maps)


def _pool_tokens(tokens, pooling, num_prefix):
    """Returns the class token, the mean of the patches, or both: (B, C)."""
    if pooling not in (("cls", "avg", "both") if num_prefix else ("avg",)):
        expected = "auto, cls, avg or both" if num_prefix else "auto or avg"
        raise UserError(
            f"`pooling` must be {expected} for this base, which makes tokens. "
            f"Received: {pooling!r}"
        )
    pooled = []
    if pooling in ("cls", "both"):
        crop = layers.Cropping1D(
            (0, tokens.shape[1] - 1), name=HEAD_PREFIX + "cls_token"
        )
        pooled.append(layers.Flatten(name=HEAD_PREFIX + "cls")(crop(tokens)))
    if pooling in ("avg", "both"):
        patches = tokens
        if num_prefix:
            patches = layers.Cropping1D(
                (num_prefix, 0), name=HEAD_PREFIX + "avg_patches"
            )(tokens)
        mean = layers.GlobalAveragePooling1D(name=HEAD_PREFIX + "avg")
        pooled.append(mean(patches))
    if pooling == "both":
        return layers.Concatenate(name=HEAD_PREFIX + "both")(pooled)
    return pooled[0]


def head_features(
    model: keras.Model,
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Returns what the head of a model sees, and what its last layer sees.

    Args:
        model: Model of `build_model`, or read from its file.
    """
    dense = [
        layer
        for layer in model.layers
        if isinstance(layer, layers.Dense)
        and layer.name.startswith(HEAD_PREFIX)
    ]
    return dense[0].input, dense[-1].input


def divide_logits(model: keras.Model, temperature: float) -> None:
    """Divides what goes into the last sigmoid or softmax by `temperature`.

    Kernel and bias of the last layer are divided, so the model stays a plain
    one (temperature scaling; Guo et al. 2017, arXiv:1706.04599).

    Args:
        model: Model of `build_model`, or read from its file; changed in place.
        temperature: > 0.
    """
    for variable in model.layers[-1].weights:
        variable.assign(variable / temperature)
