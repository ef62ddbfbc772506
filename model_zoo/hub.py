"""Backbones of KerasHub, e.g. ResNet-18, which keras.applications lacks."""

import functools
import warnings
from collections.abc import Callable
from pathlib import Path

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
        The functional model; the pixels a side and the preprocessing, a
        function of a Keras tensor, raw RGB (B, H, W, 3), that its weights were
        trained with. Each is None where the preset does not say.

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
        raise UserError(
            f"Cannot load the KerasHub preset {preset} "
            f"({type(error).__name__}: {first_line(error)}) Expected its "
            "name, e.g. hub:resnet_18_imagenet, which is downloaded once, or "
            "the folder of one (hub:PATH)."
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
    if not _has_image_converter(preset):
        return model, None, None
    converter = keras_hub.layers.ImageConverter.from_preset(preset)
    size = converter.image_size
    return (
        model,
        size[0] if size else None,
        functools.partial(
            rescale,
            scale=1.0 if converter.scale is None else converter.scale,
            offset=0.0 if converter.offset is None else converter.offset,
        ),
    )


def _has_image_converter(preset):
    """Returns whether a preset says how it takes photos; a folder need not."""
    folder = Path(preset)
    return not folder.is_dir() or (folder / "image_converter.json").is_file()
