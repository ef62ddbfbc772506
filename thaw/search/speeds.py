"""Duration of the parts of a run on this machine, from a short measurement.

What is compiled for it the run uses anyway, but for the gradients: a step of
them on made-up features, without optimizer, metrics and dropout, takes a tenth
of a second to compile and leaves nothing behind.
"""

import dataclasses
import time

import keras
import numpy as np
import tensorflow as tf

from thaw.cache.runtime import DEFAULT_RUNTIME
from thaw.device import has_gpu
from thaw.search.passes import Computed
from thaw.training.prepared import Prepared
from thaw.training.stage import Stage

FORWARD = 1 / 3  # of a step
_TIMED_SECONDS = 0.3  # of each part, if it is fast
_LOADING_SECONDS = 0.5
_FEWEST_PHOTOS, _MOST_PHOTOS = 10, 60  # loaded
_SIDE_BY_SIDE = 0.94  # of the time of one batch after the other
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


def time_step(trained: keras.Model, batch_size: int) -> StepSpeed:
    """Returns the seconds of a training step, without optimizer and dropout.

    Args:
        trained: Model whose variables train or not, as in the run.
        batch_size: Photos per step.
    """
    variables = [x.value for x in trained.trainable_variables]
    random = np.random.default_rng(0)
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

    def forward(self) -> float:
        """Returns the seconds of a photo in the whole model, by TensorFlow."""
        last = self._run.stages[-1]
        trained = (
            FORWARD * self.step(last).seconds / self._run.settings.batch_size
        )
        return self._frozen_part([last], DEFAULT_RUNTIME) + trained

    def step(self, stage: Stage) -> StepSpeed:
        """Returns the seconds of a training step of a stage.

        Args:
            stage: Stage of the run.
        """
        if id(stage) not in self._steps:
            self._steps[id(stage)] = time_step(
                stage.parts[1], self._run.settings.batch_size
            )
        return self._steps[id(stage)]

    def _of_photo(self, number, kind):
        """Returns the seconds of a photo: to load it, and its features."""
        run = self._run
        stage, *later = run.stages[number:]
        if kind == "validated":
            views, runtime = run.views.validation, DEFAULT_RUNTIME
        else:
            views, runtime = run.views.of(stage), run.settings.runtime
            later = [x for x in later if run.views.of(x) is views]
        loading = self._loading(views)[kind == "kept"]
        frozen = self._frozen_part([stage, *later], runtime)
        # On a CPU both take all cores, on a GPU they go on at the same time.
        return max(loading, frozen) if has_gpu() else loading + frozen

    def _loading(self, views):
        """Returns seconds of a photo that is decoded, and of one kept."""
        if id(views) not in self._loaded:
            # From the end: those at the start may be decoded already.
            rows = views.order(0)[::-1]

            def load(view, rows):
                images_ds = views.images(view, rows, _MOST_PHOTOS)
                return list(images_ds.as_numpy_iterator())

            first = rows[:_FEWEST_PHOTOS]
            start = time.perf_counter()
            load(0, first)  # compiles
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
            self._loaded[id(views)] = decoded, kept
        return self._loaded[id(views)]

    def _frozen_part(self, stages, runtime):
        """Returns the seconds of a photo up to the boundaries of stages.

        Args:
            stages: Stages whose boundaries are computed in one go.
            runtime: What computes them.
        """
        layers = self._run.settings.frozen_layers
        image = self._run.views.validation.images(0, [0], 1)
        tensors = [tf.repeat(next(iter(image)), layers.batch_size, axis=0)]
        start, total = None, 0.0
        # Stages with the same boundary share their caches.
        of_boundary = {id(x.val_cache): x.boundary for x in stages}
        for boundary in reversed(of_boundary.values()):
            key = (*map(id, start or ()), None, *map(id, boundary), runtime)
            if key not in self._frozen:
                compute = layers.function(start, boundary, runtime)
                outputs = compute(*tensors)  # compiles what is lazy
                seconds = _median_seconds(lambda f=compute, x=tensors: f(*x))
                self._frozen[key] = outputs, seconds / layers.batch_size
            tensors, seconds = self._frozen[key]
            total += _SIDE_BY_SIDE * seconds
            start = boundary
        return total


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
