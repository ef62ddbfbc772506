"""Other formats of a trained model: a module each, which imports its packages.

Each module has functions `write(source, path)`, which write one variant each,
and `open_runner(path)`, which returns a function from a raw photo, float32
(1, H, W, 3), RGB in [0, 255], of any size, to the probabilities of the classes,
float32 (1, C). This table needs no package.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

# What each format needs of the extra `export`: module to import, pip's name.
PACKAGES = {
    "saved_model": {},
    "litert": {"ai_edge_litert": "ai-edge-litert"},
    "onnx": {
        "onnx": "onnx",
        "tf2onnx": "tf2onnx",
        "onnxruntime": "onnxruntime",
    },
    "openvino": {"openvino": "openvino"},
}


class Variant(NamedTuple):
    """One way to write a format.

    Attributes:
        name: Of the variant.
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
        is_exact=False,
    ),
    Variant(
        "litert_int8",
        "litert",
        "write_int8",
        "model_int8.tflite",
        is_exact=False,
    ),
    Variant("onnx", "onnx", "write", "model.onnx"),
    Variant("openvino", "openvino", "write", "openvino"),
)


class Source(NamedTuple):
    """What the modules write from.

    Attributes:
        classifier: Model of `thaw.exporting.classifier.build_classifier`.
        saved_model: Folder of the same as a SavedModel.
        class_names: Names of the classes.
        samples: Function that yields training photos, float32 (1, H, W, 3).
    """

    classifier: object
    saved_model: Path
    class_names: list[str]
    samples: Callable
