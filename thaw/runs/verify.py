"""Proves that a saved model, opened anywhere, is the model that was trained."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from thaw.errors import NotProved
from model_zoo.unfreeze import leaf_layers
from thaw.runs.freeze_proof import hash_layers

_BATCH_SIZE = 16
_LAST_WORDS = 300  # characters
# Of probabilities. Between processes on a CPU it is 0 (measured); GPUs choose
# among algorithms anew.
_FLOAT32_LIMIT, _COARSE_LIMIT = 1e-4, 2e-2
_STARTED = "started"
_ROOT = Path(__file__).parent.parent.parent
# What anyone would write, who has Keras and not Thaw.
_PLAIN_KERAS = f"""
import sys
import keras
import numpy as np

print("{_STARTED}", flush=True)
model_path, photos_path, probabilities_path = sys.argv[1:]
model = keras.saving.load_model(model_path)
photos = np.load(photos_path)
np.save(
    probabilities_path,
    model.predict(photos, batch_size={_BATCH_SIZE}, verbose=0),
)
"""


class Reopening:
    """A fresh process that opens a model and predicts, while others work.

    with Reopening(path, photos) as reopening:
        ...  # what takes time anyway
        difference = reopening.compare(model)
    """

    def __init__(self, model_path: Path, photos: np.ndarray):
        """Starts the process: Python on its own, Keras, and no code of ours.

        Args:
            model_path: Path of a `.keras` file.
            photos: Raw photos, uint8 (N, H, W, 3), RGB.
        """
        self._photos = photos
        self._folder = tempfile.TemporaryDirectory(prefix="thaw-reopening-")
        place = Path(self._folder.name)
        self._answer = place / "probabilities.npy"
        np.save(place / "photos.npy", photos)
        with open(place / "remarks", "wb") as remarks:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PLAIN_KERAS]
                + [os.path.abspath(model_path)]
                + [place / "photos.npy", self._answer],
                cwd=place,
                env={
                    **os.environ,
                    "KERAS_BACKEND": "tensorflow",
                    "PYTHONPATH": _path_without_thaw(),
                    "TF_FORCE_GPU_ALLOW_GROWTH": "true",  # this one has some
                },
                stdin=subprocess.DEVNULL,
                stdout=remarks,
                stderr=remarks,
            )

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()

    def compare(self, model: keras.Model) -> float:
        """Returns the largest difference of probabilities on the photos.

        Args:
            model: The model that was saved, as it was in memory then.

        Raises:
            NotProved: If the process could not open the file, or
                answered otherwise.
        """
        expected = model.predict(
            self._photos, batch_size=_BATCH_SIZE, verbose=0
        )
        if status := self._process.wait():
            remarks = Path(self._folder.name, "remarks").read_text(
                "utf-8", "replace"
            )
            words = (
                f"(exit status {status}). Its last words: "
                f"{remarks.strip()[-_LAST_WORDS:]}"
            )
            if status < 0 or _STARTED not in remarks:
                raise NotProved(
                    "It may be right, but the process that was to open it "
                    f"ended; is there enough memory? {words}"
                )
            raise NotProved(
                f"Do not use it: plain Keras cannot open it {words}"
            )
        difference = float(np.abs(np.load(self._answer) - expected).max())
        limit = _COARSE_LIMIT if _is_coarse(model) else _FLOAT32_LIMIT
        if not difference <= limit:  # NaN, too
            raise NotProved(
                "Do not use it: a fresh process gets probabilities that "
                f"differ by up to {difference:.2g} on {len(expected)} photos; "
                f"expected at most {limit:g}."
            )
        return difference


def _path_without_thaw():
    """Returns what this process imports from, but for our own code."""
    places = [place for place in sys.path if place]
    return os.pathsep.join(
        place for place in places if Path(place).resolve() != _ROOT.resolve()
    )


def _is_coarse(model):
    half_precision = any(
        layer.compute_dtype in ("float16", "bfloat16")
        for layer in leaf_layers(model)
    )
    return half_precision or bool(tf.config.list_physical_devices("GPU"))


def weights_sha256(model: keras.Model) -> str:
    """Returns the SHA-256 of all weights of `model`, in any process."""
    hashes = json.dumps(hash_layers(model), sort_keys=True)
    return hashlib.sha256(hashes.encode()).hexdigest()


def take_weights(
    model: keras.Model, saved: keras.Model, expected_sha256: str
) -> None:
    """Gives `model`, layer by layer, the weights of `saved`.

    Args:
        model: The model that was trained, in whatever state.
        saved: The same, read from its file.
        expected_sha256: `weights_sha256` of `model` when it was saved.

    Raises:
        NotProved: If these are not the weights that were saved.
    """
    for layer in model.layers:
        layer.set_weights(saved.get_layer(layer.name).get_weights())
    if weights_sha256(model) != expected_sha256:
        raise NotProved(
            "Do not use it: its weights are not those that were trained."
        )
