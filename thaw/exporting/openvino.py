"""OpenVINO's format: model.xml and model.bin in a folder."""

import json
from collections.abc import Callable
from pathlib import Path

import openvino

from thaw.cache.openvino_runtime import core
from thaw.exporting.classifier import OUTPUT
from thaw.exporting.variants import Source

# On processors with AMX, OpenVINO computes in bfloat16 unless told otherwise:
# probabilities of SqueezeNet were off by up to 0.02. The file cannot say so.
EXACT = {"INFERENCE_PRECISION_HINT": "f32"}


def write(source: Source, path: Path) -> None:
    """Writes the folder, with the class names, as JSON, in its metadata."""
    # convert_model() would do the same, and send statistics to Google.
    model = core().read_model(str(source.saved_model))
    names = json.dumps(source.class_names)
    model.set_rt_info(names, ["model_info", "class_names"])
    path.mkdir()
    openvino.save_model(model, path / "model.xml", compress_to_fp16=False)


def open_runner(path: Path) -> Callable:
    """Returns a function from a photo to probabilities; see `variants`."""
    compiled = core().compile_model(path / "model.xml", "CPU", EXACT)
    return lambda photo: compiled(photo)[OUTPUT]
