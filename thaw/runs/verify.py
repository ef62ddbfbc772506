"""Check that a saved model, opened anywhere, is the model that was trained."""

import contextlib
import json
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
_NICE = 19  # the lowest priority
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
# Keras does without these, which take half of the time of its import.
_OPTIONAL = (
    "IPython",
    "PIL",
    "jax",
    "matplotlib",
    "pandas",
    "scipy",
    "sklearn",
)
# What anyone would write, who has Keras and not Thaw. Until there is a model,
# it leaves the processor to others.
_PLAIN_KERAS = f"""
{REFUSE_OUR_CODE}
import json
import os

sys.modules.update(dict.fromkeys({_OPTIONAL}))
if hasattr(os, "nice"):
    os.nice({_NICE})

import keras
import numpy as np

print("{_STARTED}", flush=True)
model_path, photos_path, probabilities_path = json.load(sys.stdin)
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
    with FreshProcessCheck() as check:
        ...  # until there is a model; Keras is imported meanwhile
        check.open(path, photos)
        ...  # work that takes time anyway
        difference = check.compare(model)
    ```
    """

    def __init__(self):
        """Starts the process: Python on its own, Keras, and no code of ours."""
        self._folder = tempfile.TemporaryDirectory(prefix="thaw-check-")
        folder = Path(self._folder.name)
        self._photos = None
        self._answer = folder / "probabilities.npy"
        self._log = folder / "log"
        self._start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()

    def open(self, model_path: str | Path, photos: np.ndarray) -> None:
        """Lets the process open a model and predict photos; does not wait.

        Args:
            model_path: Path of a `.keras` file.
            photos: Raw photos, uint8 (N, H, W, 3), RGB.
        """
        if self._process.poll() is not None:  # e.g. killed while it waited
            self._start()
        self._photos = photos
        path = Path(self._folder.name) / "photos.npy"
        np.save(path, photos)
        job = [os.path.abspath(model_path), str(path), str(self._answer)]
        with contextlib.suppress(BrokenPipeError), self._process.stdin as file:
            file.write(json.dumps(job).encode())

    def compare(self, model: keras.Model) -> float:
        """Returns the largest difference of probabilities on the photos.

        The process ends with it.

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

    def _start(self):
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PLAIN_KERAS],
                cwd=self._folder.name,
                env={
                    **os.environ,
                    "KERAS_BACKEND": "tensorflow",
                    "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                    "TF_FORCE_GPU_ALLOW_GROWTH": "true",  # this one has some
                },
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )

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
