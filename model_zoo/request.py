"""Checks of build_model's arguments, before Keras is imported."""

import importlib.util
import shlex
from pathlib import Path

from model_zoo.backbones import (
    BACKBONES,
    SIMPLE,
    TINY,
    VGG_CLASSIFIER_SIZE,
    WEIGHTS,
    find_backbone,
    is_file,
    is_hub,
    is_in_vgg_classifier,
)
from model_zoo.safe_loading.archive import read_config
from model_zoo.safe_loading.by_name import (
    BACKBONE_WANTED,
    WEIGHTS_WANTED,
    refuse_by_name,
)
from thaw.errors import UserError


def check_request(
    backbone: str,
    image_size: int | None,
    weights: str,
    preprocess: str,
    unfreeze_from: str | None,
    cut_at: str | None,
) -> str:
    """Checks all that can be known about a model without Keras.

    Args:
        backbone, image_size, weights, preprocess, unfreeze_from, cut_at: As in
            `build_model`.

    Returns:
        The unfreeze point; where it was None, the start of the last block.

    Raises:
        UserError: If anything is unknown, missing or does not fit.
    """
    if weights not in WEIGHTS:
        refuse_by_name(weights, WEIGHTS_WANTED)
        if not Path(weights).is_file():
            raise UserError(
                f"No weights file {weights}. `weights` must be "
                f"{', '.join(WEIGHTS)} or the path of a .h5 file."
            )
    if is_file(backbone):
        _check_file_request(backbone, image_size, preprocess, unfreeze_from)
        return unfreeze_from
    if is_hub(backbone):
        _check_hub_request(backbone, unfreeze_from)
        return unfreeze_from
    if backbone not in BACKBONES:
        refuse_by_name(backbone, BACKBONE_WANTED)
    found = find_backbone(backbone)
    if image_size is not None and image_size < found.min_image_size:
        raise UserError(
            f"`image_size={image_size}` is too small for {backbone}. Expected "
            f"at least {found.min_image_size}."
        )
    if found.preprocess == "none" and preprocess not in ("auto", "none"):
        raise UserError(
            f"{backbone} preprocesses raw photos itself, so `preprocess` must "
            f"be auto or none. Received: {preprocess!r}"
        )
    if backbone == TINY and weights == "imagenet":
        raise UserError(
            f"{backbone} has no ImageNet weights. Give `weights=auto` (the "
            "embedded ones, trained on drawings), none, or a .h5 file."
        )
    if backbone == SIMPLE and weights == "imagenet":
        raise UserError(
            f"{backbone} has no ImageNet weights: it is trained from scratch. "
            "Give `weights=auto` or none (random), or a .h5 file."
        )
    if is_in_vgg_classifier(backbone, cut_at) and image_size not in (
        None,
        VGG_CLASSIFIER_SIZE,
    ):
        raise UserError(
            f"The layer '{cut_at}' of {backbone} needs "
            f"`image_size={VGG_CLASSIFIER_SIZE}`. Received: {image_size}"
        )
    return found.last_block if unfreeze_from is None else unfreeze_from


def _check_file_request(path, image_size, preprocess, unfreeze_from):
    if not Path(path).exists():
        raise UserError(f"No backbone file {path}.")
    open_size = has_open_size(path)
    missing = []
    if preprocess == "auto":
        missing.append("`preprocess` (caffe, torch, tf, rescale or none)")
    if unfreeze_from is None:
        missing.append("`unfreeze_from` (a layer, none or all)")
    if image_size is None and open_size:
        missing.append("`image_size`")
    if missing:
        raise UserError(
            "A .keras file doesn't say all that is needed of a backbone: give "
            f"also {', '.join(missing)}. {_layers_of(path)}"
        )


def _check_hub_request(backbone, unfreeze_from):
    if not importlib.util.find_spec("keras_hub"):
        raise UserError(
            f"`backbone={backbone}` needs KerasHub: pip install -e '.[hub]'"
        )
    if unfreeze_from is None:
        raise UserError(
            f"For {backbone} give also `unfreeze_from`: a layer, none or all. "
            f"{_layers_of(backbone)}"
        )


def _layers_of(backbone):
    """Returns how to see the layers of a backbone."""
    argument = shlex.quote(f"--backbone={backbone}")
    return f"(Its layers: python train.py --list_layers {argument})"


def has_open_size(path: str) -> bool:
    """Returns whether the base in a `.keras` file takes images of any size.

    Raises:
        UserError: If it is not such a file, or refused.
    """
    try:
        config = read_config(path)["config"]
        layers = [layer["config"] for layer in config["layers"]]
        shapes = [c["batch_shape"] for c in layers if "batch_shape" in c]
        return None in shapes[0][1:3]
    except (LookupError, TypeError) as error:
        raise UserError(
            f"{path} is not a functional model in a .keras file, as Keras 3 "
            f"saves it ({type(error).__name__}: {error})."
        ) from error
