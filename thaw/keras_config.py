"""Keras's own configuration, checked before it is imported."""

import json
import os
import sys
from pathlib import Path

from thaw.errors import UserError

_BACKEND = "tensorflow"
_FORMATS = ("channels_last", "channels_first")
_FLOATX = ("float16", "float32", "float64")


def check_keras_config() -> None:
    """Checks that Keras can be imported, with the backend that Thaw needs.

    Raises:
        UserError: If it is another one, in the environment, in keras.json or
            in this process, or Keras can't read keras.json.
    """
    keras = sys.modules.get("keras")
    if keras is not None:
        _check_backend(keras.config.backend(), "this process")
        return
    path = _keras_home() / "keras.json"
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):  # Keras passes over it
        content = {}
    if (
        not isinstance(content, dict)
        or not isinstance(content.get("epsilon", 1e-7), float)
        or content.get("floatx", "float32") not in _FLOATX
        or content.get("image_data_format", _FORMATS[0]) not in _FORMATS
    ):
        raise UserError(
            f"Keras can't read its configuration, {path}. Repair or remove it."
        )
    if backend := os.environ.get("KERAS_BACKEND"):
        _check_backend(backend, "KERAS_BACKEND")
    else:
        _check_backend(content.get("backend", _BACKEND), path)


def _check_backend(backend, where):
    if backend != _BACKEND:
        raise UserError(
            f"Thaw needs Keras on TensorFlow. Received: the backend {backend} "
            f"({where}). Set KERAS_BACKEND=tensorflow before Keras is imported."
        )


def _keras_home():
    """Returns Keras's folder (keras/src/backend/config.py)."""
    if "KERAS_HOME" in os.environ:
        return Path(os.environ["KERAS_HOME"]).expanduser()
    home = os.path.expanduser("~")
    return Path(home if os.access(home, os.W_OK) else "/tmp") / ".keras"
