"""The learning-rate range test (Smith 2017, arXiv:1506.01186).

A stage is trained for a few steps with a rate that grows from far too small
to far too large, and then put back as it was. Between the rate at which
something begins to happen and the one that makes things worse is the rate to
train with.

What a batch costs depends on its photos, and drowns what 100 steps teach. So
each batch is also given to a twin that does not learn, with the same units
dropped: the loss as a share of the twin's is what the steps have changed.
"""

import dataclasses
from collections.abc import Callable, Iterable

import keras
import numpy as np
import tensorflow as tf

from thaw.training.replicas import ONE_DEVICE, Replicas

FIRST_RATE, LAST_RATE, NUM_STEPS = 1e-7, 10.0, 100
_SMOOTHING = 0.9  # weight of the past in the moving average
_DIVERGED = 4.0  # times the lowest loss
_MOVED = 0.02  # share of the loss by which it has to change to count
_FROM_WALL = 10.0  # times below the rate that makes things worse
_FEWEST = 10  # steps that say something


@dataclasses.dataclass(frozen=True)
class RangeTest:
    """Result of a range test.

    Attributes:
        rates: float64 (S,), growing.
        losses: Loss at each step, smoothed: the mean loss of the twin, times
            the share of it that is left; float64 (S,).
    """

    rates: np.ndarray
    losses: np.ndarray

    def suggestions(self) -> dict[str, float]:
        """Returns a rate by each rule: `valley`, `steep`, `minimum/10`."""
        return {
            "valley": valley(self.rates, self.losses),
            "steep": steepest(self.rates, self.losses),
            "minimum/10": float(self.rates[np.argmin(self.losses)]) / 10,
        }


def valley(rates: np.ndarray, losses: np.ndarray) -> float:
    """Returns the rate in the middle of the valley, on a logarithmic axis.

    The valley goes from the rate at which the loss begins to move to the last
    one at which it is not above that of the start, the wall. The suggestion
    keeps away from the wall by a factor of ten. (fastai's suggestion of this
    name takes the middle of the longest descent, of which a head that is
    trained well leaves little.)

    Args:
        rates: float (S,), growing.
        losses: float (S,).

    Raises:
        FloatingPointError: If the loss moves at no rate.
    """
    margin = _MOVED * losses[0]
    moved = np.flatnonzero(np.abs(losses - losses[0]) > margin)
    if not len(moved):
        raise FloatingPointError(
            "The learning-rate finder saw no rate that changes the loss. Give "
            "`learning_rate` a number."
        )
    wall = rates[np.flatnonzero(losses <= losses[0] + margin)[-1]]
    return float(min(np.sqrt(rates[moved[0]] * wall), wall / _FROM_WALL))


def steepest(rates: np.ndarray, losses: np.ndarray) -> float:
    """Returns the rate where the loss falls fastest over its logarithm."""
    return float(rates[np.argmin(np.gradient(losses, np.log10(rates)))])


def range_test(
    trained: keras.Model,
    compile_with: Callable[[np.ndarray], None],
    batches: Iterable,
    check_stop: Callable[[], None] = lambda: None,
    replicas: Replicas = ONE_DEVICE,
) -> RangeTest:
    """Trains with growing rates, then puts every variable back.

    Args:
        trained: Model to train; nothing of it is changed in the end but its
            optimizer, so compile it again.
        compile_with: Function from the rates, float (S,), one a step, that
            compiles `trained` with a new optimizer.
        batches: `NUM_STEPS` tuples of inputs, labels and, if they have any,
            weights.
        check_stop: Called before every step; what it raises ends the test.
        replicas: Devices that train `trained`.

    Raises:
        FloatingPointError: If the loss is not finite at the smallest rates.
    """
    rates = np.geomspace(FIRST_RATE, LAST_RATE, NUM_STEPS)
    # Weights, statistics, and the state of Dropout's random numbers.
    before = [(variable, variable.numpy()) for variable in trained.variables]
    compile_with(rates)
    loss_of_twin = _make_twin(trained, replicas)
    own, of_twin, losses = [], [], np.array([])
    try:
        for batch, _ in zip(batches, rates, strict=False):
            check_stop()
            inputs, labels, weights = keras.utils.unpack_x_y_sample_weight(
                batch
            )
            inputs = list(inputs)
            trained.reset_metrics()
            loss, *_ = trained.train_on_batch(inputs, labels, weights)
            both = float(loss), float(loss_of_twin(inputs, labels, weights))
            if not np.isfinite(both).all():
                break
            own.append(both[0])
            of_twin.append(both[1])
            smoothed = np.mean(of_twin) * _smooth(own) / _smooth(of_twin)
            if smoothed[-1] >= _DIVERGED * smoothed.min():
                break
            losses = smoothed
    finally:
        for variable, value in before:
            variable.assign(value)
    if len(losses) < _FEWEST:
        raise FloatingPointError(
            "The learning-rate finder saw no finite loss, even at the smallest "
            "rates. Give `learning_rate` a number."
        )
    return RangeTest(rates[: len(losses)], losses)


def _make_twin(model, replicas):
    """Returns the loss of a copy of `model`, as it is now, in training mode.

    The copy has its own state of Dropout's random numbers, which goes the same
    way, so that both drop the same units.
    """
    # The bare graph: Keras would clone loss and metrics, too, which it can only
    # do with its own.
    bare = keras.Model(model.inputs, model.outputs)
    with replicas.scope():
        twin = keras.models.clone_model(bare)
    for variable, source in zip(twin.variables, model.variables, strict=True):
        variable.assign(source)
    twin.compile(loss=model.loss)

    def loss_of_part(batch):
        inputs, labels, weights = batch
        if len(labels.shape) == 1:
            labels = labels[:, None]  # as `train_on_batch` does
        with replicas.own_random_numbers(twin):
            outputs = twin(inputs, training=True)
        return twin.compute_loss(
            y=labels, y_pred=outputs, sample_weight=weights
        )

    @tf.function(autograph=False)
    def loss(*batch):
        losses = replicas.run(loss_of_part, replicas.split(batch))
        return replicas.total(losses)

    return loss


def _smooth(values):
    """Returns the moving average of `values`, without a pull towards 0."""
    average, smoothed = 0.0, []
    for step, value in enumerate(values, start=1):
        average = _SMOOTHING * average + (1 - _SMOOTHING) * value
        smoothed.append(average / (1 - _SMOOTHING**step))
    return np.array(smoothed)
