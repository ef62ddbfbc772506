"""TensorFlow's SavedModel, a folder."""

from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from thaw.exporting.classifier import OUTPUT, labels_text
from thaw.exporting.variants import Source


def write(source: Source, path: Path) -> None:
    """Writes a SavedModel, with the labels in `assets.extra`."""
    save(source.classifier, path)
    # The place for what TensorFlow itself does not look at
    # (tensorflow/python/saved_model/README.md).
    extra = path / "assets.extra"
    extra.mkdir()
    (extra / "labels.txt").write_text(labels_text(source.class_names), "utf-8")


def save(classifier: keras.Model, path: Path) -> None:
    """Writes a SavedModel of a model of `build_classifier`, and no more."""
    classifier.export(path, format="tf_saved_model", verbose=False)


def open_runner(path: Path) -> Callable:
    """Returns a function from a photo to probabilities; see `variants`."""
    loaded = tf.saved_model.load(path)  # its function alone would lose it
    return lambda photo: loaded.serve(photo)[OUTPUT].numpy()
