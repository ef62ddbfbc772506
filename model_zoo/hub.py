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
from model_zoo.hub_configs import (
    check_arguments,
    check_precision,
    complete_configs,
)
from model_zoo.hub_errors import not_loaded
from model_zoo.hub_stages import has_stages, unfold_stages
from model_zoo.preprocessing import rescale
from model_zoo.safe_loading.allowlist import check_values
from model_zoo.safe_loading.by_name import check_size
from model_zoo.safe_loading.hdf5 import check_weights
from model_zoo.safe_loading.hub_layers import HUB_BACKBONES
from model_zoo.safe_loading.load import build_without_memory, check_claims
from model_zoo.transformers import is_transformer, native_size, unfold
from thaw.errors import UserError

_MOST_BYTES = 1 << 20  # of a JSON file; ResNet's have one thousand
_MOST_BLOCKS = 300  # of layers; KerasHub builds them before weights are read
_OF_ONE_SIZE = ("MiTBackbone", "SwinTransformerBackbone")
_COPIES, _BYTES = 2, 4  # of weights, and of each
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
    model, own_size, preprocess = _load(preset, weights, image_size)
    if is_transformer(model):
        own_size = own_size or native_size(model)
        size = image_size or own_size
        if size is None:
            raise UserError(f"{backbone} fits any size: give `image_size`.")
        model = unfold(model, size, backbone)
    elif has_stages(model):
        model = unfold_stages(model)
    check_arguments(model, backbone)
    check_precision(model, backbone)
    complete_configs(model)
    return model, own_size, preprocess


def _load(preset, weights, image_size):
    """Returns what `load_preset` does, but the model as KerasHub makes it."""
    import keras_hub  # optional, and takes seconds

    options = {}
    try:
        class_name = _check_preset(preset, weights)
        own_size, preprocess = _load_preprocessing(preset)
        if class_name in _OF_ONE_SIZE and (image_size or own_size):
            size = image_size or own_size
            options["image_shape"] = (size, size, 3)
        with warnings.catch_warnings():
            # As for any file: layers left at random are an error.
            warnings.filterwarnings("error", message=".*freshly-initialized")
            model = keras_hub.models.Backbone.from_preset(
                preset, load_weights=weights != "none", **options
            )
    except UserError:
        raise
    # Whatever KerasHub stumbles over in files that it has not written.
    except Exception as error:
        raise not_loaded(preset, options.get("image_shape"), error) from error
    return model, own_size, preprocess


def _load_preprocessing(preset):
    """Returns the image size of a preset and its rescaling, or None."""
    try:
        content = _check_class(preset, "image_converter.json")
        # That of a preset looks for one of the backbone's own class.
        converter = keras.saving.deserialize_keras_object(content)
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
    """Returns the class of a preset; its sizes are not beyond its files."""
    import keras_hub
    from keras_hub.src.utils.preset_utils import get_file

    content = _check_class(preset, "config.json", HUB_BACKBONES)
    for key, value in content["config"].items():
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
        _check_memory(preset, held)
    model = build_without_memory(
        lambda: keras_hub.models.Backbone.from_preset(
            preset, load_weights=False
        )
    )
    check_claims(model, held, f"{HUB}{preset}")
    return content["class_name"]


def _check_memory(preset, held):
    """Refuses weights that the memory can't hold twice: as read, and built."""
    information = Path("/proc/meminfo")
    lines = information.read_text().splitlines() if information.exists() else []
    for line in lines:
        name, _, value = line.partition(":")
        available = 1024 * int(value.split()[0])
        needed = _COPIES * _BYTES * held
        if name == "MemAvailable" and needed > available:
            raise UserError(
                f"{HUB}{preset} needs about {needed / 1e9:.1f} GB of memory, "
                f"and {available / 1e9:.1f} GB are available. Choose a smaller "
                "preset, or another machine."
            )


def _check_class(preset, name, allowed=None):
    """Returns a class of KerasHub's and its arguments, from a JSON file.

    Args:
        preset: Name or folder.
        name: Name of the file.
        allowed: Names of classes; None: any image converter.
    """
    from keras_hub.src.utils.preset_utils import get_file

    path = Path(get_file(preset, name))
    content = json.loads(check_size(path, _MOST_BYTES).read_text("utf-8"))
    try:
        class_name, config = str(content["class_name"]), content["config"]
        is_known = (
            content["registered_name"] == f"keras_hub>{class_name}"
            and content["module"].startswith("keras_hub.src.")
            and (allowed or class_name.endswith("ImageConverter"))
            and isinstance(config, dict)
        )
    except (LookupError, TypeError, AttributeError):
        is_known = False
    if not is_known:
        raise UserError(
            f"{path} is refused: expected a class of KerasHub's own, as its "
            "save_to_preset writes it."
        )
    if allowed and class_name not in allowed:
        raise UserError(
            f"{HUB}{preset} is refused: a {class_name!a} is not among the "
            "image backbones that can be used. Which are, and why others are "
            "not: docs/backbones.md"
        )
    check_values(config, str(path))
    return content
