"""Choice of the fastest runtime for the frozen part, measured once and kept."""

import contextlib
import dataclasses
import hashlib
import importlib
import json
import math
import os
import time
from importlib.util import find_spec
from pathlib import Path

import keras
import tensorflow as tf

from model_zoo.hashes import hash_layers
from thaw import device
from thaw.atomic import write_json
from thaw.cache import frozen_graph
from thaw.cache.frozen_part import FrozenLayers, FrozenPart
from thaw.cache.runtime import (
    BFLOAT16,
    DEFAULT_RUNTIME,
    FLOAT32,
    OPENVINO,
    TENSORFLOW,
    Runtime,
)
from thaw.cache.runtime_trial import Trial, time_photo, try_runtime
from thaw.progress import say, warn

AUTO = "auto"
_LEAST_SPEEDUP = 1.15
# A run takes at least its frozen passes, and this for start and report.
_FIXED_SECONDS = 10.0
_LARGEST_SHARE = 0.05  # of the run, for the trial
_COMPILE_SECONDS = 0.7
_LEAST_PHOTOS, _MOST_PHOTOS = 60, 300  # of a trial
_FORMAT = 1  # of the file
_MOST_KEPT = 200  # trials in it


class RuntimeChoice:
    """Chooses what computes the frozen part of a run."""

    def __init__(
        self,
        layers: FrozenLayers,
        frozen: keras.Model,
        views,
        folder: Path | None,
    ):
        """Takes what has to be computed.

        Args:
            layers: Frozen layers of the model.
            frozen: Model from photos to the boundary tensors of the last
                stage, of `model_zoo.boundary.split`.
            views: `PhotoViews` to train on.
            folder: Folder of cached features, where trials are kept, or None.
        """
        self._layers = layers
        self._boundary = frozen.outputs
        self._views = views
        self._frozen = frozen
        self._path = folder and folder / "runtimes.json"
        self._spent = 0.0  # seconds, by trials

    def choose(self, name: str, precision: str, num_photos: int) -> Runtime:
        """Returns the runtime to take.

        What is `auto` is TensorFlow, or float32, unless something else is at
        least 1.15 times as fast, and its features are as good.

        Args:
            name: `tensorflow`, `openvino` or `auto`.
            precision: `float32`, `bfloat16` or `auto`.
            num_photos: Photos that the frozen part will compute: a trial takes
                at most 5% of the run, and in a short one there is none.
        """
        if not (
            self._frozen.weights and frozen_graph.can_be_constants(self._frozen)
        ):
            return DEFAULT_RUNTIME
        for runtime in _candidates(name, precision):
            is_asked = (
                precision == BFLOAT16
                or name == OPENVINO
                and runtime.precision == FLOAT32
            )
            trial = self._trial(runtime, None if is_asked else num_photos)
            if trial is None:
                continue
            if trial.problem is not None:
                warn(
                    f"Frozen part: {runtime.describe()}, isn't used: "
                    f"{trial.problem}."
                )
            elif is_asked and trial.speedup < 1:
                warn(
                    f"Frozen part: {runtime.describe()}, is slower: "
                    f"{trial.describe()}."
                )
                return runtime
            elif is_asked or trial.speedup >= _LEAST_SPEEDUP:
                say(f"Frozen part: {runtime.describe()}; {trial.describe()}")
                return runtime
        return DEFAULT_RUNTIME

    def _trial(self, runtime, num_photos):
        """Returns the `Trial` of a runtime, None if it would take too long."""
        try:
            if runtime.name == OPENVINO:  # may be broken since the trial
                importlib.import_module("thaw.cache.openvino_runtime")
            key = self._key(runtime)
            trial = self._known().get(key)
            if trial is not None:
                return Trial(**trial)
            if num_photos is not None and not _can_gain(runtime):
                return None
            batches, labels = self._photos(num_photos)
            if not batches:
                return None
            start = time.perf_counter()
            trial = try_runtime(
                self._layers, self._boundary, runtime, batches, labels
            )
            self._spent += time.perf_counter() - start
        except (ImportError, RuntimeError) as error:  # of OpenVINO
            reason = str(error).strip().partition("\n")[0]
            return Trial(math.inf, 0.0, f"it can't be opened ({reason})")
        if self._path is not None:
            with contextlib.suppress(OSError):  # measured again next time
                known = self._known() | {key: dataclasses.asdict(trial)}
                latest = list(known.items())[-_MOST_KEPT:]
                write_json(self._path, dict(latest))
        return trial

    def _photos(self, num_photos):
        """Returns batches of resized photos for a trial, and their labels."""
        batch_size = self._layers.batch_size
        rows = self._views.order(0)
        count = min(_MOST_PHOTOS, len(rows))
        if num_photos is not None and count >= _LEAST_PHOTOS:
            images = self._images(rows[:batch_size])[0]
            part = FrozenPart(self._layers, [(self._boundary, FLOAT32)])
            seconds = time_photo(part, images) / 1e3
            # TensorFlow's own function is compiled for the run anyway.
            spare = _LARGEST_SHARE * (_FIXED_SECONDS + num_photos * seconds)
            spare -= _COMPILE_SECONDS + self._spent
            count = min(count, int(spare / (2 * seconds)))
            count -= count % batch_size
        if num_photos is not None and count < _LEAST_PHOTOS:
            return [], None
        rows = rows[:count]
        return self._images(rows), self._views.labels[rows]

    def _images(self, rows):
        images_ds = self._views.images(0, rows, self._layers.batch_size)
        return list(images_ds.as_numpy_iterator())

    def _known(self):
        """Returns the trials that are kept, by key."""
        try:
            return json.loads(self._path.read_text("utf-8"))
        except (AttributeError, OSError, ValueError):  # there is none yet
            return {}

    def _key(self, runtime):
        facts = {
            "format": _FORMAT,
            "runtime": runtime,
            "processor": device.processor_name(),
            "processors": device.num_processors(),
            "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS"),
            "versions": [
                tf.__version__,
                keras.__version__,
                *runtime.versions(),
            ],
            "frozen": self._frozen.to_json(),
            "weights": hash_layers(self._frozen),
            "batch_size": self._layers.batch_size,
        }
        text = json.dumps(facts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def _can_gain(runtime):
    """Returns whether this processor may be faster with that precision.

    Where it has no bfloat16, a trial of it could take minutes.
    """
    if runtime.precision != BFLOAT16:
        return True
    if runtime.name == OPENVINO:
        from thaw.cache import openvino_runtime

        return openvino_runtime.has_bfloat16()
    of_float32, of_bfloat16 = device.time_convolution((FLOAT32, BFLOAT16))
    return of_float32 >= _LEAST_SPEEDUP * of_bfloat16


def _candidates(name, precision):
    """Returns the runtimes to try, the fastest first."""
    has_openvino = find_spec("openvino") is not None
    if name == OPENVINO and not has_openvino:
        warn(
            "`frozen_runtime=openvino`: OpenVINO isn't installed (pip install "
            "-e '.[fast]'). TensorFlow computes the frozen part."
        )
    if has_openvino and name != TENSORFLOW:
        name = OPENVINO
    else:
        name = TENSORFLOW
    found = [Runtime(name, x) for x in (BFLOAT16, FLOAT32)]
    return [
        x
        for x in found
        if precision in (x.precision, AUTO) and x != DEFAULT_RUNTIME
    ]
