"""ONNX: one file, for ONNX Runtime and many others."""

import json
import logging
import warnings
from collections.abc import Callable
from pathlib import Path

import keras
import onnx
import onnxruntime

from thaw.exporting import Source
from thaw.exporting.classifier import INPUT, OUTPUT

_DIMENSIONS = ("batch", "height", "width")  # any number, by these names


def write(source: Source, path: Path) -> None:
    """Writes an ONNX file with the class names, as JSON, in its metadata."""
    # It shows, as tracebacks, what it could not do. What comes out is compared.
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        # Keras 3.15 mends tf2onnx for NumPy 2.
        warnings.filterwarnings("ignore", ".*np.object", FutureWarning)
        source.classifier.export(
            path,
            format="onnx",
            input_signature=[
                keras.InputSpec("float32", (None, None, None, 3), name=INPUT)
            ],
            verbose=False,
        )
    model = onnx.load(path)
    dimensions = model.graph.input[0].type.tensor_type.shape.dim
    for name, dimension in zip(_DIMENSIONS, dimensions[:3], strict=True):
        dimension.dim_param = name
    model.graph.output[0].type.tensor_type.shape.dim[0].dim_param = "batch"
    onnx.helper.set_model_props(
        model, {"class_names": json.dumps(source.class_names)}
    )
    onnx.checker.check_model(model)
    onnx.save(model, path)


def open_runner(path: Path) -> Callable:
    """Returns what runs it; see `formats`."""
    session = onnxruntime.InferenceSession(
        path, providers=["CPUExecutionProvider"]
    )
    return lambda photo: session.run([OUTPUT], {INPUT: photo})[0]
