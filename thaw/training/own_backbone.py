"""Continuing from the model of a finished run: its options, and its classes."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model_zoo.own_model import (
    CLASSES_FILE,
    MODEL_FILE,
    find_own_model,
    kept_columns,
)
from thaw.config import TrainConfig
from thaw.errors import UserError, list_some
from thaw.pixel_range import PixelRange
from thaw.runs import pixel_ranges, reader

_OF_BASE = ("image_size", "resize")  # the others are of the head
_UNDECIDED = (None, "auto")  # values that contradict nothing


def with_own_options(config: TrainConfig) -> TrainConfig:
    """Returns options that say what the model of a run holds.

    Its size, resizing and head are in the model, its unfreeze point in
    run.json. With `cut_at`, its base goes on under a new head.

    Args:
        config: Options of a run; `backbone` may be the folder of another one,
            or a model.keras. Of any other backbone they stay as they are.

    Raises:
        UserError: If an option that was given contradicts the model.
    """
    own = find_own_model(config.backbone_name)
    if own is None:
        return config.decided()
    # The head goes on: a linear one is no alternative.
    yardstick = config.yardstick and config.cut_at is not None
    config = dataclasses.replace(config, yardstick=yardstick)
    options: dict[str, Any] = {"head": "dense", **own.options}
    if config.cut_at is not None:
        options = {name: options[name] for name in _OF_BASE}
    _check(config, own, options)
    before = reader.load_summary(Path(own.path).parent) or {}
    for name in ("preprocess", "weights"):
        # Given once more, with the flagfile of the run: it's in the model.
        if getattr(config, name) == before.get("config", {}).get(name):
            options[name] = "auto"
    if config.unfreeze_from is None and config.cut_at is None:
        options["unfreeze_from"] = before.get("unfreeze_from")
    config = dataclasses.replace(config, backbone=_real_path(own), **options)
    return config.decided()


def kept_classes(config: TrainConfig) -> tuple[str, ...]:
    """Returns the classes of the head that goes on, in order; or ().

    Args:
        config: Of `with_own_options`.
    """
    own = find_own_model(config.backbone_name)
    return own.class_names if own and config.cut_at is None else ()


def ranges_before(config: TrainConfig) -> dict[str, PixelRange]:
    """Returns the pixel ranges of the run whose model goes on, or {}.

    Args:
        config: Of `with_own_options`.
    """
    own = find_own_model(config.backbone_name)
    return (own and pixel_ranges.load(Path(own.path).parent)) or {}


def describe_start(config: TrainConfig, class_names: Sequence[str]) -> str:
    """Returns what goes on of the model of a run, as text.

    Args:
        config: Of `with_own_options`.
        class_names: Names of the classes of the photos.
    """
    before = kept_classes(config)
    if not before:
        return f"New head on the layer {config.cut_at} of {config.backbone}"
    places = kept_columns(before, class_names)
    pairs = list(zip(class_names, places, strict=True))
    kinds = {
        "as before": [name for name, place in pairs if place is not None],
        "new": [name for name, place in pairs if place is None],
        "no longer there": [
            name for i, name in enumerate(before) if i not in places
        ],
    }
    words = [f"{kind} {list_some(x)}" for kind, x in kinds.items() if x]
    return f"Continuing from {config.backbone}. Classes: {'; '.join(words)}"


def describe_seen(config: TrainConfig, validation: Sequence[str]) -> str:
    """Returns how many validation photos the model was trained on, or "".

    Args:
        config: Of `with_own_options`.
        validation: Paths of the validation photos.
    """
    # It imports NumPy, which mistakes in options are found without.
    from thaw.runs import photo_tables

    own = find_own_model(config.backbone_name)
    if own is None:
        return ""

    seen = {*photo_tables.load_training_photos(Path(own.path).parent)}
    count = sum(path in seen for path in validation)
    if not count:
        return ""
    return (
        f"{count:,} of {len(validation):,} validation photos are training "
        f"photos of {config.backbone}: accuracy on them says little. Give "
        "photos that it wasn't trained on: `validation_data`"
    )


def _check(config, own, options):
    wrong = [
        name
        for name, value in options.items()
        if name in config.given
        and getattr(config, name) not in (value, *_UNDECIDED)
    ]
    if not wrong:
        return
    received, expected = (
        ", ".join(f"`{name}={values[name]}`" for name in wrong)
        for values in (config.to_dict(), options)
    )
    way_out = "Drop that"
    if not set(wrong) <= {*_OF_BASE}:
        last = own.base_layers[-1]
        way_out += f", or put a new head on its base: `cut_at={last}`"
    raise UserError(
        f"Continuing from {config.backbone} keeps {expected}. Received: "
        f"{received}. {way_out}."
    )


def _real_path(own):
    """Returns the run folder, or the file where that is all there is.

    Links are followed: runs/latest may soon be another run.
    """
    path = Path(own.path)
    is_run = path.name == MODEL_FILE and path.with_name(CLASSES_FILE).exists()
    return os.path.realpath(path.parent if is_run else path)
