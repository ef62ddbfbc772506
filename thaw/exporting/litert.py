"""LiteRT (TensorFlow Lite): one file, for phones and small computers."""

import os
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from thaw.exporting.classifier import labels_text
from thaw.exporting.variants import Source


def write(source: Source, path: Path) -> None:
    """Writes a .tflite file that computes in float32."""
    _save(_converter(source).convert(), path, source)


def write_float16(source: Source, path: Path) -> None:
    """Writes a .tflite file with weights in half precision: half the size."""
    converter = _converter(source)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    _save(converter.convert(), path, source)


def write_int8(source: Source, path: Path) -> None:
    """Writes a .tflite file that computes in integers of 8 bits.

    Their ranges are those on training photos (Jacob et al. 2018,
    arXiv:1712.05877). Input and output are float32.
    """

    def dataset():
        for photo in source.samples():
            yield [photo]

    converter = _converter(source)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = dataset
    # REVERSE_V2, RGB to BGR, copies 8 bits from one range into another in
    # TensorFlow 2.21, and all colours are wrong: the accuracy on 500 cats and
    # dogs was 92.2%, and 96.8% with this operation in float.
    options = tf.lite.experimental.QuantizationDebugOptions(
        denylisted_ops=["REVERSE_V2"]
    )
    with warnings.catch_warnings():
        # The debugger has not moved to ai_edge_litert yet.
        warnings.filterwarnings("ignore", ".*tf.lite.Interpreter is deprecated")
        debugger = tf.lite.experimental.QuantizationDebugger(
            converter=converter, debug_dataset=dataset, debug_options=options
        )
        content = debugger.get_nondebug_quantized_model()
    _save(content, path, source)


def open_runner(path: Path) -> Callable:
    """Returns a function from a photo to probabilities; see `variants`."""
    interpreter = Interpreter(str(path), num_threads=os.cpu_count())
    (image,) = interpreter.get_input_details()
    (probabilities,) = interpreter.get_output_details()
    shape = None

    def run(photo):
        nonlocal shape
        if photo.shape != shape:
            interpreter.resize_tensor_input(image["index"], photo.shape)
            interpreter.allocate_tensors()
            shape = photo.shape
        interpreter.set_tensor(image["index"], photo)
        interpreter.invoke()
        return interpreter.get_tensor(probabilities["index"])

    return run


def _converter(source):
    return tf.lite.TFLiteConverter.from_saved_model(str(source.saved_model))


def _save(content, path, source):
    path.write_bytes(content)
    # Files that belong to a model are a zip archive behind it, which runtimes
    # do not see (ai.google.dev/edge/litert/conversion/tensorflow/metadata).
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("labels.txt", labels_text(source.class_names))
