"""Seconds of the parts of a run on this machine, from a short measurement.

What is compiled for it the run uses anyway, but for the gradients: a step of
them on made-up features, without optimizer, metrics and dropout, takes a tenth
of a second to compile and leaves nothing behind.
"""

import dataclasses
import time

import numpy as np
import tensorflow as tf

from thaw.cache.frozen_part import FrozenPart
from thaw.cache.runtime import DEFAULT_RUNTIME
from thaw.cache.side_by_side import AT_A_TIME, map_side_by_side
from thaw.device import has_gpu
from thaw.search.passes import Computed
from thaw.training.stage import Stage
from thaw.training.state import Prepared

_TIMED_SECONDS = 0.3  # of each part, if it is fast
_LOADING_SECONDS = 0.5
_FEWEST_PHOTOS, _MOST_PHOTOS = 10, 60  # loaded
_EPSILON = 1e-7


@dataclasses.dataclass(frozen=True)
class StepSpeed:
    """Seconds of a training step.

    Attributes:
        seconds: Of a step, without its features.
        compilation: Until the first one.
    """

    seconds: float
    compilation: float


class Speeds:
    """Seconds of what a run does; each is measured when first asked for."""

    def __init__(self, prepared: Prepared):
        """Takes the run.

        Args:
            prepared: Run with its stages, whose caches are open.
        """
        self._run = prepared
        self._frozen = {}
        self._steps = {}
        self._loaded = {}
        self._images = {}

    def features(self, number: int, computed: Computed) -> float:
        """Returns the seconds that boundary tensors take which are missing.

        Args:
            number: Number of the stage that computes them.
            computed: Photos.
        """
        return sum(
            count * self._of_photo(number, kind)
            for kind, count in vars(computed).items()
            if count
        )

    def step(self, stage: Stage) -> StepSpeed:
        """Returns the seconds of a training step of a stage.

        Args:
            stage: Stage of the run.
        """
        if id(stage) not in self._steps:
            self._steps[id(stage)] = self._time_step(stage)
        return self._steps[id(stage)]

    def _time_step(self, stage):
        trained = stage.parts[1]
        variables = [x.value for x in trained.trainable_variables]
        random = np.random.default_rng(0)
        batch_size = self._run.settings.batch_size
        inputs = [
            tf.constant(random.random((batch_size, *x.shape[1:]), "float32"))
            for x in trained.inputs
        ]

        @tf.function(autograph=False)
        def compute():
            with tf.GradientTape() as tape:
                outputs = tf.reduce_sum(trained(inputs, training=False))
            gradients = tape.gradient(outputs, variables)
            # As much arithmetic as that of an optimizer.
            return [
                tf.reduce_sum(
                    x * tf.math.rsqrt(0.9 * old + tf.square(x) + _EPSILON)
                )
                for x, old in zip(gradients, variables, strict=True)
            ]

        first = _seconds(compute)
        seconds = _median_seconds(compute)
        return StepSpeed(seconds, max(first - seconds, 0))

    def _of_photo(self, number, kind):
        """Returns the seconds of a photo: to load it, and its features."""
        split = int(kind == "validated")
        loading = self._loading(split)[kind == "kept"]
        frozen = self._frozen_part(number, split)
        # On a CPU both take all cores, on a GPU they go on at the same time.
        return max(loading, frozen) if has_gpu() else loading + frozen

    def _loading(self, split):
        """Returns seconds of a photo that is decoded, and of one kept."""
        if split not in self._loaded:
            views = self._run.views[split]
            # From the end: those at the start may be decoded already.
            rows = views.order(0)[::-1]

            def load(view, rows):
                images_ds = views.images(view, rows, _MOST_PHOTOS)
                return list(images_ds.as_numpy_iterator())

            first = rows[:_FEWEST_PHOTOS]
            start = time.perf_counter()
            (self._images[split],) = load(0, first)  # compiles
            of_photo = (time.perf_counter() - start) / len(first)
            count = np.clip(_LOADING_SECONDS / of_photo, len(first), None)
            timed = rows[len(first) :][: min(int(count), _MOST_PHOTOS)]
            timed = timed if len(timed) else first
            # Without what a dataset takes to begin.
            spare = _seconds(lambda: load(0, first[:1]))

            def time_photo(view):
                seconds = _seconds(lambda: load(view, timed)) - spare
                return max(seconds, 0) / len(timed)

            decoded = time_photo(0)
            kept = decoded if views.kept is None else time_photo(1)
            self._loaded[split] = decoded, kept
        return self._loaded[split]

    def _frozen_part(self, number, split):
        """Returns the seconds of a photo in the frozen part."""
        key = number, split
        if key not in self._frozen:
            stages = self._run.stages[number:]
            caches = [(x.train_cache, x.val_cache)[split] for x in stages]
            found = {
                id(cache): (stage.boundary, cache.dtype)
                for stage, cache in zip(stages, caches, strict=True)
            }
            settings = self._run.settings
            runtime = DEFAULT_RUNTIME if split else settings.runtime
            part = FrozenPart(
                settings.frozen_layers, list(found.values()), runtime
            )
            self._loading(split)
            images = self._images[split]
            part(images)  # compiles
            batches = [images] * AT_A_TIME
            seconds = _median_seconds(
                lambda: list(map_side_by_side(part, batches))
            )
            self._frozen[key] = seconds / (AT_A_TIME * part.batch_size)
        return self._frozen[key]


def _seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def _median_seconds(function):
    """Returns the median seconds of a few calls, of one that is slow."""
    start = time.perf_counter()
    times = []
    while not times or time.perf_counter() - start < _TIMED_SECONDS:
        times.append(_seconds(function))
    return float(np.median(times))
