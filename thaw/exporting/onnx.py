"""ONNX: one file, for ONNX Runtime and many others."""

import contextlib
import json
import logging
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
import tf2onnx
from keras.src.export.tf2onnx_lib import patch_tf2onnx
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)
from tf2onnx import utils
from tf2onnx.handler import tf_op

from thaw.exporting.classifier import INPUT, OUTPUT
from thaw.exporting.variants import Source

_DIMENSIONS = ("batch", "height", "width")  # any number, by these names


@tf_op("Erfc")
class _Erfc:
    """TensorFlow's GELU, which tf2onnx does not know, as 1 - Erf."""

    @classmethod
    def version_9(cls, ctx, node, **kwargs):
        """Replaces a node of the graph."""
        (dtype,), outputs = map(ctx.get_dtype, node.output), node.output
        shapes = [ctx.get_shape(x) for x in outputs]
        ctx.remove_node(node.name)
        erf = ctx.make_node("Erf", node.input, dtypes=[dtype], shapes=shapes)
        one = ctx.make_const(
            utils.make_name("one"),
            np.array(1, utils.map_onnx_to_numpy_type(dtype)),
        )
        ctx.make_node(
            "Sub",
            [one.output[0], erf.output[0]],
            outputs=outputs,
            dtypes=[dtype],
            shapes=shapes,
        )


def write(source: Source, path: Path) -> None:
    """Writes an ONNX file with the class names, as JSON, in its metadata."""

    @tf.function(
        input_signature=[tf.TensorSpec((None, None, None, 3), name=INPUT)],
        autograph=False,
    )
    def compute(image):
        return source.classifier(image, training=False)[OUTPUT]

    function = convert_variables_to_constants_v2(
        compute.get_concrete_function()
    )
    graph = function.graph.as_graph_def()
    # ONNX has no calls, and Keras compiles grouped convolutions as functions
    # that TensorFlow would not inline.
    for part in (*graph.node, *graph.library.function):
        for mark in ("_XlaMustCompile", "_noinline"):
            part.attr.pop(mark, None)
    names = {function.inputs[0].name: INPUT, function.outputs[0].name: OUTPUT}
    with _quiet():
        patch_tf2onnx()  # for NumPy 2
        tf2onnx.convert.from_graph_def(
            graph,
            input_names=[function.inputs[0].name],
            output_names=[function.outputs[0].name],
            tensors_to_rename=names,
            output_path=path,
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


@contextlib.contextmanager
def _quiet():
    """Silences the converter."""
    # It logs, as tracebacks, what it could not convert. The file is compared.
    logger = logging.getLogger("tf2onnx")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            # Keras 3.15 mends tf2onnx for NumPy 2.
            warnings.filterwarnings("ignore", ".*np.object", FutureWarning)
            yield
    finally:
        logger.setLevel(level)


def open_runner(path: Path) -> Callable:
    """Returns a function from a photo to probabilities; see `variants`."""
    session = onnxruntime.InferenceSession(
        path, providers=["CPUExecutionProvider"]
    )
    return lambda photo: session.run([OUTPUT], {INPUT: photo})[0]
