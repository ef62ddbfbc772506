"""Run folders without a training."""

from pathlib import Path

from model_zoo import build_model
from thaw.runs.writer import RunFolder


def make_run(folder: Path, weights: str = "auto") -> Path:
    """Returns a new run folder with an untrained model of three classes."""
    class_names = ["cat", "dog", "owl"]
    model = build_model("vgg16_tiny", 3, weights=weights, image_size=32)
    run = RunFolder.create(folder)
    run.save_class_names(class_names)
    run.save_model(model, class_names)
    return run.path
