"""Backbones of KerasHub, e.g. ResNet-18, which keras.applications lacks."""

import functools
import warnings
from collections.abc import Callable

import keras

from errors import UserError
from model_zoo.backbones import HUB
from model_zoo.preprocessing import rescale
from model_zoo.unfreeze import leaf_layers
from model_zoo.weights import first_line


def load_preset(
    backbone: str, weights: str
) -> tuple[keras.Model, int | None, Callable | None]:
    """Returns a backbone of KerasHub, and how it takes photos.

    Args:
        backbone: `hub:` and the name of a preset, or its folder.
        weights: `none`: random ones; anything else: those of the preset.

    Returns:
        The functional model; the pixels a side, and the preprocessing after
        resizing, a function of a Keras tensor, RGB in [0, 255] (B, H, W, 3).
        Each is None where the preset does not say, or has no one answer. (How
        photos become square is not the preset's but the user's choice.)

    Raises:
        UserError: If it cannot be had, or has layers of KerasHub's own.
    """
    import keras_hub  # optional, and takes seconds

    preset = backbone.removeprefix(HUB)
    try:
        with warnings.catch_warnings():
            # As for any file: layers left at random are an error.
            warnings.filterwarnings("error", message=".*freshly-initialized")
            model = keras_hub.models.Backbone.from_preset(
                preset, load_weights=weights != "none"
            )
    except (OSError, ValueError, KeyError, UserWarning) as error:
        offline = isinstance(error, OSError) and not isinstance(
            error, FileNotFoundError
        )
        raise UserError(
            f"Cannot load the KerasHub preset {preset} "
            f"({type(error).__name__}: {first_line(error)}) "
            + ("Is there a network? " if offline else "")
            + "Expected the name of a preset, e.g. hub:resnet_18_imagenet, "
            "which is downloaded once, or the folder of one (hub:PATH)."
        ) from error
    foreign = {
        type(layer).__name__
        for layer in leaf_layers(model)
        if not type(layer).__module__.startswith("keras.")
    }
    if foreign:
        raise UserError(
            f"{backbone} has layers of KerasHub's own ({', '.join(foreign)}); "
            "its models would not open with plain Keras. Take one without, "
            "e.g. a ResNet."
        )
    try:
        converter = keras_hub.layers.ImageConverter.from_preset(preset)
    except (FileNotFoundError, ValueError):  # it has none
        return model, None, None
    height, width = converter.image_size or (None, None)
    return (
        model,
        height if height == width else None,
        functools.partial(
            rescale,
            scale=1.0 if converter.scale is None else converter.scale,
            offset=0.0 if converter.offset is None else converter.offset,
        ),
    )
