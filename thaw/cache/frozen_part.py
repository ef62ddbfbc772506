"""The frozen part of a model, compiled for inference."""

import threading
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from thaw.cache import frozen_graph
from thaw.cache.runtime import (
    BFLOAT16,
    DEFAULT_RUNTIME,
    OPENVINO,
    Runtime,
)


class FrozenPart:
    """Function from resized photos to the boundary tensors of some stages.

    The frozen layers run in inference mode (a frozen Dropout would stay on
    otherwise), always on the same number of images: the size of a batch changes
    the last bits of a convolution, so a short batch is padded and cut back.
    What comes of a photo then does not depend on the photos beside it.
    """

    def __init__(
        self,
        layers: "FrozenLayers",
        boundaries: Sequence[tuple[Sequence[keras.KerasTensor], str]],
        runtime: Runtime = DEFAULT_RUNTIME,
    ):
        """Takes the boundaries of stages.

        Args:
            layers: Frozen layers, which compile what is missing at the first
                call.
            boundaries: Boundary tensors of each stage, in the order of the
                stages, each after those of the next stage in the model; and
                the dtype to cast them to.
            runtime: What computes them.
        """
        self._layers = layers
        self._boundaries = boundaries
        self._runtime = runtime

    @property
    def batch_size(self) -> int:
        """Photos at a time, B."""
        return self._layers.batch_size

    def __call__(self, images) -> tuple[np.ndarray, ...]:
        """Returns the boundary tensors of all stages, as arrays.

        Args:
            images: Photos as the layer `resize` of the model gives them,
                float32 (B or fewer, H, W, 3), tensor or array.
        """
        count = len(images)
        images = tf.convert_to_tensor(images)
        missing = self.batch_size - count
        if missing:
            images = tf.pad(images, [(0, missing), (0, 0), (0, 0), (0, 0)])
        start, tensors, found = None, [images], []
        for boundary, dtype in reversed(self._boundaries):
            compute = self._layers.function(start, boundary, self._runtime)
            tensors = compute(*tensors)
            start = boundary
            found.append([tf.cast(x, dtype).numpy()[:count] for x in tensors])
        return tuple(x for of_stage in reversed(found) for x in of_stage)


class FrozenLayers:
    """Functions made of the frozen layers of a model, each compiled once.

    The layers between two boundaries are a function of their own, the same
    whatever is computed after it, and so are its last bits. Weights are taken
    over when it is compiled.

    Attributes:
        batch_size: Photos at a time, B.
    """

    def __init__(self, model: keras.Model, batch_size: int):
        """Takes a model.

        Args:
            model: Model of `build_model`.
            batch_size: Photos at a time, B.
        """
        self.batch_size = batch_size
        self._model = model
        self._functions = {}
        self._lock = threading.Lock()

    def function(
        self,
        inputs: Sequence[keras.KerasTensor] | None,
        outputs: Sequence[keras.KerasTensor],
        runtime: Runtime,
    ) -> Callable:
        """Returns the function between two boundaries.

        Args:
            inputs: Boundary tensors; None: resized photos.
            outputs: Later boundary tensors.
            runtime: What computes it.

        Returns:
            Function from tensors or arrays (B, ...) to a list of them.
        """
        key = (*map(id, inputs or ()), None, *map(id, outputs), runtime)
        with self._lock:
            if key not in self._functions:
                self._functions[key] = self._compile(inputs, outputs, runtime)
            return self._functions[key]

    def _compile(self, inputs, outputs, runtime):
        if inputs is None:
            inputs = [self._model.get_layer("resize").output]
        # In Keras no output may be an input as well: a cast makes a new one.
        casts = [keras.ops.cast(x, "float32") for x in outputs]
        model = keras.Model(list(inputs), casts, name="frozen")
        function = frozen_graph.make_function(model, self.batch_size)
        if runtime.name == OPENVINO:
            from thaw.cache import openvino_runtime

            return openvino_runtime.compile_function(
                function, runtime.precision
            )
        if runtime.precision == BFLOAT16:
            return frozen_graph.in_bfloat16(function)
        return function
