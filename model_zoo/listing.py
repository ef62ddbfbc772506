"""Tables for the terminal: the backbones, and the layers of a base."""

import math
from collections.abc import Sequence

from model_zoo.backbones import BACKBONES


def backbones_table() -> str:
    """Returns the table of backbones as text; needs no Keras."""
    rows = [("backbone", "pixels", "preprocess", "last block starts at")]
    for name, backbone in BACKBONES.items():
        preprocess = backbone.preprocess
        if preprocess == "none":
            preprocess = "inside"
        size = str(backbone.image_size)
        rows.append((name, size, preprocess, backbone.last_block))
    return format_table(rows)


def layers_table(layers: Sequence) -> str:
    """Returns the layers as text: name, kind, output shape, parameters.

    Args:
        layers: Keras layers of a model whose `trainable` flags are set; a
            layer whose variables would train is marked.
    """
    rows = [("layer", "kind", "output shape", "parameters", "trains")]
    for layer in layers:
        shape = getattr(layer.output, "shape", ())[1:]
        trainable = sum(math.prod(v.shape) for v in layer.trainable_variables)
        rows.append(
            (
                layer.name,
                type(layer).__name__,
                "x".join(map(str, shape)),
                f"{layer.count_params():,}" if layer.weights else "",
                "yes" if trainable else "",
            )
        )
    return format_table(rows)


def format_table(rows: Sequence[Sequence[str]]) -> str:
    """Returns rows of strings as aligned columns, the first row underlined."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)
        )
        for row in [rows[0], ["-" * width for width in widths], *rows[1:]]
    ]
    return "\n".join(line.rstrip() for line in lines)
