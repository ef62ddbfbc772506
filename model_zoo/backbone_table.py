"""Tables of the backbones to choose from, for the terminal."""

import csv
import re
from pathlib import Path

from model_zoo.backbones import BACKBONES, HUB
from model_zoo.request import check_keras_hub
from model_zoo.safe_loading.hub_layers import HUB_BACKBONES
from thaw.tables import format_table

# Made by: python -m tools.make_backbone_table
MEASURED = Path(__file__).with_name("backbone_table.csv")
SMALL_CPU, CPU, GPU = "small CPU", "CPU", "GPU"
BEGIN_WITH = {
    "mobilenetv2": SMALL_CPU,
    "efficientnetv2b0": CPU,
    "efficientnetv2s": GPU,
    HUB + "mobilenet_v3_large_100_imagenet": SMALL_CPU,
    HUB + "dinov2_small": CPU,
    HUB + "dinov2_base": GPU,
}
_PIXELS = re.compile(r"(\d+)x\1")
_NOTE = """
begin with: a good choice for a small CPU, for a CPU, for a GPU.
top-1: accuracy on ImageNet as keras.io gives it; empty where it gives none.
params, GFLOPs: without the classifier; multiply-adds of a photo.
pixels: of a side, as the weights were trained, and unless --image_size is
given (vgg16 then takes 150).
KB a photo: features kept before the last block, where training begins unless
--unfreeze-from names another layer (--list_layers --backbone=NAME lists them).
Presets of KerasHub, ViT and DINOv2 among them: --list_backbones=hub"""
_HUB_NOTE = """
begin with: a good choice for a small CPU, for a CPU, for a GPU.
pixels: as the description of the preset gives them.
A preset is downloaded once. Its layers: --list_layers --backbone=hub:NAME
More on each: https://keras.io/keras_hub/presets/"""


def read_measured() -> dict[str, dict[str, str]]:
    """Returns what was measured of the backbones, by name."""
    with MEASURED.open(encoding="utf-8") as file:
        return {row["backbone"]: row for row in csv.DictReader(file)}


def backbones_table() -> str:
    """Returns the table of backbones as text; needs no Keras."""
    rows = [
        (
            "backbone",
            "begin with",
            "top-1",
            " params",
            "GFLOPs",
            "pixels",
            "KB a photo",
            "last block starts at",
        )
    ]
    for name, row in read_measured().items():
        rows.append(
            (
                name,
                BEGIN_WITH.get(name, ""),
                row["imagenet_top1"],
                _millions(row["parameters"]),
                f"{int(row['multiply_adds']) / 1e9:6.2f}",
                f"{row['pixels']:>6}",
                f"{int(row['last_block_bytes']) / 1e3:10.0f}",
                BACKBONES[name].last_block,
            )
        )
    return f"{format_table(rows)}\n{_NOTE}"


def presets_table() -> str:
    """Returns the table of KerasHub's presets, by family, as text.

    Raises:
        UserError: If KerasHub isn't installed.
    """
    check_keras_hub("list_backbones=hub")
    rows = [("preset", "begin with", " params", "pixels")]
    for name, metadata in hub_presets().items():
        pixels = _PIXELS.search(metadata["description"])
        rows.append(
            (
                HUB + name,
                BEGIN_WITH.get(HUB + name, ""),
                _millions(metadata["params"]),
                f"{pixels[1]:>6}" if pixels else "",
            )
        )
    return f"{format_table(rows)}\n{_HUB_NOTE}"


def hub_presets() -> dict[str, dict]:
    """Returns the metadata of KerasHub's presets by name, by family."""
    import keras_hub  # optional, and takes seconds

    return {
        name: preset["metadata"]
        for class_name in sorted(HUB_BACKBONES, key=str.lower)
        for name, preset in getattr(
            keras_hub.models, class_name
        ).presets.items()
    }


def _millions(number):
    millions = int(number) / 1e6
    return f"{millions:{'6.1f' if millions > 0.05 else '6.2f'}}M"
