"""Measures the backbones for --list_backbones.

    python -m tools.make_backbone_table

writes model_zoo/backbone_table.csv. The accuracies stay what they are there:
they are copied from https://keras.io/api/applications/, none from elsewhere.
"""

import csv
import math

import keras

from model_zoo import build_model
from model_zoo.backbone_table import MEASURED, read_measured
from model_zoo.backbones import BACKBONES
from model_zoo.boundary import boundary_tensors
from model_zoo.operations import multiply_adds
from model_zoo.unfreeze import base_layers, first_trained_layer

# Where a run begins with smaller photos than the weights were trained with.
_NATIVE_PIXELS = {"vgg16": 224}
_BYTES = 2  # float16, which features are kept in


def measure(name: str) -> dict[str, int]:
    """Returns what a row of the table holds of a backbone."""
    pixels = _NATIVE_PIXELS.get(name, BACKBONES[name].image_size)
    model = build_model(name, weights="none", image_size=pixels)
    layers = base_layers(model)
    start = first_trained_layer(model, BACKBONES[name].last_block)
    values = sum(math.prod(x.shape[1:]) for x in boundary_tensors(model, start))
    return {
        "pixels": pixels,
        "parameters": sum(layer.count_params() for layer in layers),
        "multiply_adds": sum(map(multiply_adds, layers)),
        "last_block_bytes": _BYTES * values,
    }


def main() -> None:
    """Writes the table anew, in the order of `BACKBONES`."""
    known = read_measured()
    rows = []
    for name in BACKBONES:
        accuracy = known.get(name, {}).get("imagenet_top1", "")
        rows.append(
            {"backbone": name, "imagenet_top1": accuracy} | measure(name)
        )
        keras.backend.clear_session()
        print(*rows[-1].values(), flush=True)
    with MEASURED.open("w", encoding="utf-8", newline="\n") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
