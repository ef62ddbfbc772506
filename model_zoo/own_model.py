"""Models saved by train.py, as backbones: facts in their files, no Keras."""

import json
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from model_zoo.backbones import BACKBONES, is_file, is_hub
from model_zoo.layer_names import OUTPUT, is_name_of_ours
from model_zoo.safe_loading.archive import read_config, read_metadata
from model_zoo.safe_loading.by_name import (
    BACKBONE_WANTED,
    MODEL_WANTED,
    check_size,
    refuse_by_name,
)
from thaw.errors import UserError, first_line, printable

MODEL_FILE, CLASSES_FILE = "model.keras", "class_names.json"
_POOLING = ("both", "cls", "flatten", "avg", "max")  # both: cls and avg
_MOST_BYTES = 1 << 24  # of class_names.json


class OwnModel(NamedTuple):
    """Facts in the file of a model; anyone may have made it.

    Attributes:
        path: Path of the `.keras` file.
        name: Name of the model, by default that of the first backbone.
        class_names: Names of the classes, in the order of their indices.
        options: Options of training that the model holds: `image_size` and
            `resize`; and, of its head, `pooling`, `hidden_units`, `dropout`.
        base_layers: Names of the layers of the base, in order.
    """

    path: str
    name: str
    class_names: tuple[str, ...]
    options: dict[str, object]
    base_layers: tuple[str, ...]


def find_own_model(backbone: str) -> OwnModel | None:
    """Returns the model of a run that `backbone` leads to; None: to none.

    Args:
        backbone: As in `build_model`: a run folder, or its model.keras.

    Raises:
        UserError: If it is a folder without a model, or a file that is refused
            or damaged.
    """
    path = Path(backbone)
    if backbone in BACKBONES or is_hub(backbone) or not path.exists():
        return None
    if path.is_dir():
        refuse_by_name(path, BACKBONE_WANTED)
        path /= MODEL_FILE
        if not path.is_file():
            raise UserError(
                f"`backbone`: {backbone} can't be opened: it is a folder "
                f"without {MODEL_FILE}. Expected a run folder written by "
                "train.py, e.g. runs/latest, or the name or file of a "
                "backbone."
            )
        return _read(path)
    if not is_file(backbone):
        return None
    return _read(path) if OUTPUT in _layers(path) else None


def keep_order(before: Iterable[str], names: Sequence[str]) -> list[str]:
    """Returns `names` in the order of a model's outputs, new ones last.

    Args:
        before: Class names of the model; NFC and NFD are the same.
        names: Class names of the photos.
    """
    by_form = {_form(name): name for name in names}
    kept = [by_form[x] for x in map(_form, before) if x in by_form]
    return [*kept, *(name for name in names if name not in kept)]


def kept_columns(
    before: Sequence[str], names: Iterable[str]
) -> list[int | None]:
    """Returns the place of each of `names` in `before`; None: not in it."""
    places = {_form(name): place for place, name in enumerate(before)}
    return [places.get(_form(name)) for name in names]


def _form(name):
    return unicodedata.normalize("NFC", name)


def _read(path):
    layers = _layers(path)
    try:
        options = _options(layers)
        num_classes = max(layers[OUTPUT]["units"], 2)
        base = [x for x in layers if not is_name_of_ours(x)]
        name = str(read_config(path, MODEL_WANTED)["config"]["name"])
        if not base:
            raise LookupError("a base")
    except (LookupError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path} is not a model saved by train.py: it lacks {error}."
        ) from error
    class_names = _class_names(path)
    if len(class_names) != num_classes:
        raise UserError(
            f"{path} has {num_classes} classes, and {len(class_names)} class "
            "names."
        )
    return OwnModel(str(path), name, class_names, options, tuple(base))


def _layers(path):
    """Returns the configuration of each layer, by name, in order."""
    config = read_config(path, BACKBONE_WANTED)
    try:
        return {x["name"]: x["config"] for x in config["config"]["layers"]}
    except (LookupError, TypeError):
        return {}


def _options(layers):
    pooling = [x for x in _POOLING if f"head_{x}" in layers]
    resize = layers["resize"]
    mode = "squash"
    if "presize" in layers:
        mode = "center"
    elif resize["crop_to_aspect_ratio"]:
        mode = "crop"
    elif resize["pad_to_aspect_ratio"]:
        mode = "pad"
    return {
        "image_size": resize["height"],
        "resize": mode,
        "pooling": pooling[0] if pooling else "auto",
        "hidden_units": layers.get("head_hidden", {"units": 0})["units"],
        "dropout": layers.get("head_dropout", {"rate": 0.0})["rate"],
    }


def _class_names(path):
    """Returns the names beside a model, as its run has them, or in it."""
    beside = path.with_name(CLASSES_FILE)
    source = beside if beside.is_file() else path
    try:
        if source is beside:
            text = check_size(beside, _MOST_BYTES).read_text("utf-8")
            names = json.loads(text)
        else:
            names = read_metadata(path, MODEL_WANTED)["class_names"]
        if not (
            isinstance(names, list)
            and all(isinstance(x, str) and printable(x) == x for x in names)
            and len(set(map(_form, names))) == len(names)
        ):
            raise ValueError("expected a list of names, each of them once")
    except (LookupError, ValueError, RecursionError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(
            f"Cannot read the class names in {source} ({first_line(error)}) "
            f"Expected them there, or in {CLASSES_FILE} beside {path.name}."
        ) from error
    return tuple(names)
