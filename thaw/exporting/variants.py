"""Formats, the packages they need, and the variants of each.

A format is a module of `thaw.exporting`, which imports its packages. It has
functions `write(source, path)`, which write one variant each, and
`open_runner(path)`, which returns a function from a raw photo, float32
(1, H, W, 3), RGB in [0, 255], of any size, to the probabilities of the classes,
float32 (1, C). This table needs no package.
"""

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from thaw.errors import UserError

# Modules that each format needs beside requirements.txt.
PACKAGES = {
    "saved_model": (),
    "litert": ("ai_edge_litert",),
    "onnx": ("onnx", "tf2onnx", "onnxruntime"),
    "openvino": ("openvino",),
}


class Variant(NamedTuple):
    """One way to write a format.

    Attributes:
        name: Name of the variant.
        format: Key of `PACKAGES`, and name of the module.
        write: Name of the function there.
        path: File, or folder, that it is written to.
        is_exact: Whether it computes in float32, and so has to answer as
            Keras does.
    """

    name: str
    format: str
    write: str
    path: str
    is_exact: bool = True


VARIANTS = (
    Variant("saved_model", "saved_model", "write", "saved_model"),
    Variant("litert", "litert", "write", "model.tflite"),
    Variant(
        "litert_float16",
        "litert",
        "write_float16",
        "model_float16.tflite",
        False,
    ),
    Variant("litert_int8", "litert", "write_int8", "model_int8.tflite", False),
    Variant("onnx", "onnx", "write", "model.onnx"),
    Variant("openvino", "openvino", "write", "openvino"),
)


class Source(NamedTuple):
    """Input of the modules.

    Attributes:
        classifier: Model of `thaw.exporting.classifier.build_classifier`.
        saved_model: Folder of the same as a SavedModel.
        class_names: Names of the classes.
        samples: Function that yields training photos, float32 (1, H, W, 3).
    """

    classifier: Any
    saved_model: Path
    class_names: Sequence[str]
    samples: Callable


def choose_variants(formats: str | Sequence[str]) -> list[Variant]:
    """Returns the variants of one or more formats.

    Raises:
        UserError: If there is no such format, or a package is missing.
    """
    formats = [formats] if isinstance(formats, str) else list(formats)
    if not formats or set(formats) - set(PACKAGES):
        raise UserError(
            f"`format` must be one or more of {', '.join(PACKAGES)}. "
            f"Received: {', '.join(formats)}"
        )
    missing = [
        module
        for name in formats
        for module in PACKAGES[name]
        if importlib.util.find_spec(module) is None
    ]
    if missing:
        raise UserError(
            f"`format={','.join(formats)}` needs packages that are not "
            f"installed ({', '.join(missing)}): pip install -e '.[export]'"
        )
    return [variant for variant in VARIANTS if variant.format in formats]
