"""The devices that train together, each on a part of every batch."""

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

_SEEDS = "seed_generator_state"  # name of a variable, of Dropout and others
_KEYS = 100  # room for the groups of devices that a strategy numbers


class Replicas:
    """Devices with equal weights, whose gradients are added in each step.

    A batch is divided among them (`tf.distribute.MirroredStrategy`). With one
    device, everything is as without this class.

    Attributes:
        count: Number of devices.
    """

    def __init__(self, devices: Sequence[str] = ()):
        """Takes the names of two or more devices; none: TensorFlow's own."""
        self.count = max(len(devices), 1)
        self._strategy = None
        if self.count > 1:
            self._strategy = _make_strategy(tuple(devices))

    def scope(self) -> contextlib.AbstractContextManager:
        """Returns the context in which variables are made on all devices.

        Models that are made in it predict on all of them as well.
        """
        if self._strategy is None:
            return contextlib.nullcontext()
        return self._strategy.scope()

    def split(self, data: Any) -> Any:
        """Returns the part of each device.

        Args:
            data: Tensors (B, ...) or None, nested; B is a multiple of `count`.
        """
        if self._strategy is None:
            return data
        with tf.device("CPU"):  # each gets its own part only
            parts = [
                [None] * self.count if x is None else tf.split(x, self.count)
                for x in tf.nest.flatten(data)
            ]

        def of_device(context):
            number = context.replica_id_in_sync_group
            own = [of_tensor[number] for of_tensor in parts]
            return tf.nest.pack_sequence_as(data, own)

        return self._strategy.experimental_distribute_values_from_function(
            of_device
        )

    def run(self, function: Callable, *values: Any) -> Any:
        """Returns what a function returns on each device.

        Args:
            function: Called with the part of `values` of a device.
            *values: Of `split`, or of another call.
        """
        if self._strategy is None:
            return function(*values)
        return self._strategy.run(function, args=values)

    def total(self, values: Any) -> tf.Tensor:
        """Returns the sum of a number that each device has returned."""
        if self._strategy is None:
            return values
        with self._strategy.scope():
            return self._strategy.reduce("SUM", values, axis=None)

    def joined(self, values: Any) -> tf.Tensor:
        """Returns what the devices made of their parts as one batch."""
        if self._strategy is None:
            return values
        return tf.concat(self._strategy.experimental_local_results(values), 0)

    @contextlib.contextmanager
    def own_random_numbers(self, model: keras.Model) -> Iterator[None]:
        """Gives each device its own random numbers, of Dropout for example.

        They have the same state, which is theirs again afterwards: all that
        reads or sets it need not know of the devices. Within `run`.

        Args:
            model: Model that is called in the context.
        """
        if self._strategy is None:
            yield
            return
        context = tf.distribute.get_replica_context()
        number = tf.cast(context.replica_id_in_sync_group, "int64")
        shift = tf.stack([number, tf.constant(0, "int64")])
        states = [x for x in model.variables if x.name == _SEEDS]
        for state in states:
            state.assign(state + shift)
        yield
        for state in states:
            state.assign(state - shift)


@functools.cache
def _make_strategy(devices):
    """Returns the one strategy of a process for some devices.

    TensorFlow tells sums over devices apart by numbers, which each strategy
    counts from the same one on: two for the same devices would mix them up.
    """

    class Mirrored(tf.distribute.MirroredStrategy):
        _collective_key_base = _KEYS * len(devices)

    return Mirrored(devices)


ONE_DEVICE = Replicas()
