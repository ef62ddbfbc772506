"""Checks of build_model's arguments, before Keras is imported."""

import importlib.util
import os
import shlex
from pathlib import Path

from model_zoo.backbone_file import read_backbone_file
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
from model_zoo.own_model import find_own_model
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
    own = find_own_model(backbone)
    if own is not None:
        return _check_own_request(
            own, image_size, weights, preprocess, unfreeze_from
        )
    if is_file(backbone):
        return _check_file_request(
            backbone, image_size, preprocess, unfreeze_from, cut_at
        )
    if is_hub(backbone):
        return _check_hub_request(backbone, unfreeze_from)
    if backbone not in BACKBONES:
        refuse_by_name(backbone, BACKBONE_WANTED)
        if os.path.dirname(backbone):
            raise UserError(
                f"`backbone`: there is no run folder or file {backbone}."
            )
    found = find_backbone(backbone)
    _check_named_request(backbone, found, image_size, weights, preprocess)
    if is_in_vgg_classifier(backbone, cut_at) and image_size not in (
        None,
        VGG_CLASSIFIER_SIZE,
    ):
        raise UserError(
            f"The layer '{cut_at}' of {backbone} needs "
            f"`image_size={VGG_CLASSIFIER_SIZE}`. Received: {image_size}"
        )
    return found.last_block if unfreeze_from is None else unfreeze_from


def _check_named_request(backbone, found, image_size, weights, preprocess):
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


def _check_own_request(own, image_size, weights, preprocess, unfreeze_from):
    """Returns the unfreeze point in the model of a run."""
    if weights not in ("auto", "imagenet"):
        raise UserError(
            f"Continuing from {own.path} is going on from its weights: drop "
            f"`weights={weights}`"
        )
    if preprocess != "auto":
        raise UserError(
            f"{own.path} preprocesses raw photos itself: drop "
            f"`preprocess={preprocess}`"
        )
    if image_size not in (None, own.options["image_size"]):
        raise UserError(
            f"{own.path} takes images of {own.options['image_size']} pixels. "
            f"Received: `image_size={image_size}`"
        )
    if unfreeze_from is not None:
        return unfreeze_from
    if own.name not in BACKBONES or (
        BACKBONES[own.name].last_block not in own.base_layers
    ):
        raise UserError(
            f"For {own.path} give also `unfreeze_from`: a layer, none or all. "
            f"{_layers_of(own.path)}"
        )
    return BACKBONES[own.name].last_block


def _check_file_request(path, image_size, preprocess, unfreeze_from, cut_at):
    if not Path(path).exists():
        raise UserError(f"No backbone file {path}.")
    found = read_backbone_file(path)
    if found.probabilities is not None and cut_at is None:
        where = f": `cut_at={found.features}`" if found.features else ""
        raise UserError(
            f"{path} is a whole classifier: its layer '{found.probabilities}' "
            "makes probabilities. Cut it at the last layer of features"
            f"{where or ', with `cut_at`'}. {_layers_of(path)}"
        )
    if found.rescaling is not None and preprocess not in ("auto", "none"):
        raise UserError(
            f"{path} scales raw photos itself, by its layer "
            f"'{found.rescaling}': drop `preprocess={preprocess}`"
        )
    missing = []
    if preprocess == "auto" and found.rescaling is None:
        missing.append("`preprocess` (caffe, torch, tf, rescale or none)")
    if unfreeze_from is None:
        missing.append("`unfreeze_from` (a layer, none or all)")
    if image_size is None and found.has_open_size:
        missing.append("`image_size`")
    if missing:
        raise UserError(
            "A .keras file doesn't record everything a backbone needs: also "
            f"give {', '.join(missing)}. {_layers_of(path)}"
        )
    return unfreeze_from


def check_keras_hub(option: str) -> None:
    """Raises a `UserError` if an option needs KerasHub, and there is none."""
    if not importlib.util.find_spec("keras_hub"):
        raise UserError(f"`{option}` needs KerasHub: pip install -e '.[hub]'")


def _check_hub_request(backbone, unfreeze_from):
    check_keras_hub(f"backbone={backbone}")
    if unfreeze_from is None:
        raise UserError(
            f"For {backbone} give also `unfreeze_from`: a layer, none or all. "
            f"{_layers_of(backbone)}"
        )
    return unfreeze_from


def _layers_of(backbone):
    """Returns how to see the layers of a backbone."""
    argument = shlex.quote(f"--backbone={backbone}")
    return f"(Its layers: python train.py --list_layers {argument})"
