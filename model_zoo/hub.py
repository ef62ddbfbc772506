"""Backbones of KerasHub, e.g. ResNet-18, which keras.applications lacks.

A preset is a folder of files, and anyone may have made it: they are checked
before KerasHub sees them, as `.keras` files are.
"""

import functools
import json
import warnings
from collections.abc import Callable
from pathlib import Path

import keras

from model_zoo.backbones import HUB
from model_zoo.hub_configs import kind_of_layer
from model_zoo.preprocessing import rescale
from model_zoo.safe_loading.allowlist import check_values
from model_zoo.safe_loading.by_name import check_size
from model_zoo.safe_loading.hdf5 import check_weights
from model_zoo.safe_loading.hub_layers import HUB_LAYERS
from model_zoo.safe_loading.load import build_without_memory, check_claims
from model_zoo.transformers import is_transformer, native_size, unfold
from model_zoo.unfreeze import leaf_layers
from thaw.errors import UserError, first_line

_MOST_BYTES = 1 << 20  # of a JSON file; ResNet's have one thousand
_MOST_BLOCKS = 300  # of layers; KerasHub builds them before weights are read
_MOST_RANDOM = 1 << 29  # weights of a base without a file of them: 2 GB


def load_preset(
    backbone: str, weights: str, image_size: int | None
) -> tuple[keras.Model, int | None, Callable | None]:
    """Returns a backbone of KerasHub, and how it takes photos.

    Args:
        backbone: `hub:` and the name of a preset, or its folder.
        weights: `none`: random ones; anything else: those of the preset.
        image_size: Pixels a side; None: the preset's own.

    Returns:
        The functional model; the pixels a side, and the preprocessing after
        resizing, a function of a Keras tensor, RGB in [0, 255] (B, H, W, 3).
        Each is None where the preset does not say, or has no one answer. (How
        photos become square is not the preset's but the user's choice.)

    Raises:
        UserError: If it cannot be had, or has layers that no model may have.
    """
    preset = backbone.removeprefix(HUB)
    model = _load_backbone(preset, weights)
    own_size, preprocess = _load_preprocessing(preset)
    if is_transformer(model):
        own_size = own_size or native_size(model)
        size = image_size or own_size
        if size is None:
            raise UserError(f"{backbone} fits any size: give `image_size`.")
        model = unfold(model, size, backbone)
    foreign = {
        type(layer).__name__
        for layer in leaf_layers(model)
        if not type(layer).__module__.startswith("keras.")
        and kind_of_layer(layer) not in HUB_LAYERS
    }
    if foreign:
        raise UserError(
            f"{backbone} has layers of KerasHub's own that no model may have "
            f"here: {', '.join(sorted(foreign))}."
        )
    return model, own_size, preprocess


def _load_backbone(preset, weights):
    import keras_hub  # optional, and takes seconds

    try:
        _check_preset(preset, weights)
        with warnings.catch_warnings():
            # As for any file: layers left at random are an error.
            warnings.filterwarnings("error", message=".*freshly-initialized")
            return keras_hub.models.Backbone.from_preset(
                preset, load_weights=weights != "none"
            )
    except UserError:
        raise
    # Whatever KerasHub stumbles over in files that it has not written.
    except Exception as error:
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


def _load_preprocessing(preset):
    """Returns the image size of a preset and its rescaling, or None."""
    import keras_hub

    try:
        _check_class(preset, "image_converter.json", "ImageConverter")
        converter = keras_hub.layers.ImageConverter.from_preset(preset)
    except UserError:
        raise
    except (FileNotFoundError, ValueError):  # it has none
        return None, None
    height, width = converter.image_size or (None, None)
    return (
        height if height == width else None,
        functools.partial(
            rescale,
            scale=1.0 if converter.scale is None else converter.scale,
            offset=0.0 if converter.offset is None else converter.offset,
        ),
    )


def _check_preset(preset, weights):
    """Refuses classes that are not KerasHub's, and sizes beyond its files."""
    import keras_hub
    from keras_hub.src.utils.preset_utils import get_file

    config = _check_class(preset, "config.json", "Backbone")
    for key, value in config.items():
        is_number_of_blocks = any(x in key for x in ("block", "layer", "depth"))
        for number in keras.tree.flatten(value):
            if is_number_of_blocks and isinstance(number, int | float):
                if number > _MOST_BLOCKS:
                    raise UserError(
                        f"{HUB}{preset} is refused: its {key!a} is {number}."
                    )
    held = _MOST_RANDOM
    if weights != "none":
        path = get_file(preset, "model.weights.h5")
        held = check_weights(path, str(path))
    model = build_without_memory(
        lambda: keras_hub.models.Backbone.from_preset(
            preset, load_weights=False
        )
    )
    check_claims(model, held, f"{HUB}{preset}")


def _check_class(preset, name, ending):
    """Returns what a class of KerasHub's is configured with in a JSON file."""
    from keras_hub.src.utils.preset_utils import get_file

    path = Path(get_file(preset, name))
    content = json.loads(check_size(path, _MOST_BYTES).read_text("utf-8"))
    try:
        class_name, config = str(content["class_name"]), content["config"]
        is_known = (
            content["registered_name"] == f"keras_hub>{class_name}"
            and content["module"].startswith("keras_hub.src.")
            and class_name.endswith(ending)
            and isinstance(config, dict)
        )
    except (LookupError, TypeError, AttributeError):
        is_known = False
    if not is_known:
        raise UserError(
            f"{path} is refused: expected a {ending} of KerasHub's own, as "
            "its save_to_preset writes it."
        )
    check_values(config, str(path))
    return config
