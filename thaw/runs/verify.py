"""Check that a saved model, opened anywhere, is the model that was trained."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from model_zoo.unfreeze import leaf_layers
from thaw.errors import MachineError, NotVerified

_BATCH_SIZE = 16
_LAST_WORDS = 300  # characters
# Of probabilities. Between processes on a CPU it is 0 (measured); GPUs choose
# among algorithms anew.
_FLOAT32_LIMIT, _COARSE_LIMIT = 1e-4, 2e-2
_STARTED = "started"
_MACHINE = ("MemoryError", "ResourceExhausted", "No space left")
# Thaw may be installed; a model that needs it isn't what anyone can open.
REFUSE_OUR_CODE = """
import sys

class RefuseOurCode:
    def find_spec(name, path=None, target=None):
        if name.split(".")[0] in ("thaw", "model_zoo", "augment", "plots"):
            raise ModuleNotFoundError(name + " is Thaw's own code")

sys.meta_path.insert(0, RefuseOurCode)
"""
# What anyone would write, who has Keras and not Thaw.
_PLAIN_KERAS = f"""
{REFUSE_OUR_CODE}
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


class FreshProcessCheck:
    """A fresh process that opens a model and predicts, while others work.

    Example:

    ```python
    with FreshProcessCheck(path, photos) as check:
        ...  # work that takes time anyway
        difference = check.compare(model)
    ```
    """

    def __init__(self, model_path: str | Path, photos: np.ndarray):
        """Starts the process: Python on its own, Keras, and no code of ours.

        Args:
            model_path: Path of a `.keras` file.
            photos: Raw photos, uint8 (N, H, W, 3), RGB.
        """
        self._photos = photos
        self._folder = tempfile.TemporaryDirectory(prefix="thaw-check-")
        folder = Path(self._folder.name)
        self._answer = folder / "probabilities.npy"
        self._log = folder / "log"
        np.save(folder / "photos.npy", photos)
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PLAIN_KERAS]
                + [os.path.abspath(model_path)]
                + [folder / "photos.npy", self._answer],
                cwd=folder,
                env={
                    **os.environ,
                    "KERAS_BACKEND": "tensorflow",
                    "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                    "TF_FORCE_GPU_ALLOW_GROWTH": "true",  # this one has some
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
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
            model: The model that was saved, with the weights it had then.

        Raises:
            NotVerified: If plain Keras can't open the file, or gets other
                probabilities.
            MachineError: If the process was killed or could not start, which
                says nothing about the file.
        """
        expected = model.predict(
            self._photos, batch_size=_BATCH_SIZE, verbose=0
        )
        if status := self._process.wait():
            raise self._failure(status)
        difference = float(np.abs(np.load(self._answer) - expected).max())
        limit = _COARSE_LIMIT if _is_coarse(model) else _FLOAT32_LIMIT
        if not difference <= limit:  # NaN, too
            raise NotVerified(
                "Do not use it: a fresh process gets probabilities that "
                f"differ by up to {difference:.2g} on {len(expected)} photos; "
                f"expected at most {limit:g}."
            )
        return difference

    def _failure(self, status):
        log = self._log.read_text("utf-8", "replace")
        words = (
            f"(exit status {status}). Its last words: "
            f"{log.strip()[-_LAST_WORDS:]}"
        )
        if status < 0 or _STARTED not in log or any(x in log for x in _MACHINE):
            return MachineError(
                "It may be right, but the process that opens it as a check "
                f"ended; is there enough memory? {words}"
            )
        return NotVerified(f"Do not use it: plain Keras can't open it {words}")


def _is_coarse(model):
    half_precision = any(
        layer.compute_dtype in ("float16", "bfloat16")
        for layer in leaf_layers(model)
    )
    return half_precision or bool(tf.config.list_physical_devices("GPU"))
