"""Table of the layers of a base, for the terminal."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from model_zoo.backbone_file import read_backbone_file
from model_zoo.backbones import BACKBONES, is_file, is_hub
from model_zoo.own_model import find_own_model
from model_zoo.request import check_request
from thaw.tables import format_table


def list_layers(
    *,
    backbone: str,
    image_size: int | None,
    preprocess: str,
    unfreeze_from: str | None,
    cut_at: str | None,
    train_batch_norm: bool,
    find_costs: Callable | None = None,
) -> str:
    """Returns the table of a base's layers; its weights are not needed.

    Args:
        backbone: As all the others, that of `build_model`.
        image_size: Needed by some backbone files to train, not to be looked
            at. So are the next two.
        preprocess: See `image_size`.
        unfreeze_from: See `image_size`.
        cut_at: As in `build_model`.
        train_batch_norm: As in `build_model`.
        find_costs: Function of the model that returns more columns: their
            header, texts by layer name, and a note; None: no more.

    Raises:
        UserError: As `build_model`.
    """
    own = find_own_model(backbone)
    if own is None and is_file(backbone) and Path(backbone).exists():
        found = read_backbone_file(backbone)
        preprocess = "none" if preprocess == "auto" else preprocess
        cut_at = cut_at or found.probabilities
        if image_size is None and found.has_open_size:
            image_size = 224
    if is_hub(backbone) and image_size is None and preprocess == "auto":
        image_size, preprocess = 224, "none"
    if cut_at is not None or backbone not in BACKBONES:
        unfreeze_from = unfreeze_from or "none"
    arguments: dict[str, Any] = {
        "backbone": backbone,
        "image_size": image_size,
        "weights": "none" if own is None else "auto",
        "preprocess": preprocess,
        "unfreeze_from": unfreeze_from,
        "cut_at": cut_at,
    }
    check_request(**arguments)
    # Keras takes a second to import, and is not needed for the other table.
    from model_zoo.build import build_model
    from model_zoo.nested import with_inner_layers
    from model_zoo.unfreeze import base_layers

    model = build_model(
        num_classes=2 if own is None else len(own.class_names),
        train_batch_norm=train_batch_norm,
        **arguments,
    )
    layers = base_layers(model)
    if backbone not in BACKBONES:
        layers = with_inner_layers(layers)
    rows = layer_rows(layers)
    if find_costs is None:
        return format_table(rows)
    header, texts, note = find_costs(model)
    missing = ("",) * len(header)
    more = [header, *(texts.get(x.name, missing) for x in layers)]
    rows = [(*x, *y) for x, y in zip(rows, more, strict=True)]
    return f"{format_table(rows)}\n\n{note}"


def layer_rows(layers: Sequence) -> list[tuple[str, ...]]:
    """Returns a header and the layers: name, kind, output shape, ...

    Args:
        layers: Keras layers of a model whose `trainable` flags are set; a
            layer whose variables would train is marked.
    """
    rows: list[tuple[str, ...]] = [
        ("layer", "kind", "output shape", "parameters", "initialiser", "trains")
    ]
    for layer in layers:
        shape = getattr(layer.output, "shape", ())[1:]
        trainable = sum(math.prod(v.shape) for v in layer.trainable_variables)
        rows.append(
            (
                layer.name,
                type(layer).__name__,
                "x".join(map(str, shape)),
                f"{layer.count_params():,}" if layer.weights else "",
                _initialiser(layer),
                "yes" if trainable else "",
            )
        )
    return rows


def _initialiser(layer):
    """Returns what the kernel of a layer starts with, if it has one."""
    names = ("kernel_initializer", "depthwise_initializer")
    found = [getattr(layer, name) for name in names if hasattr(layer, name)]
    return type(found[0]).__name__ if found else ""
