"""The learning-rate range test (Smith 2017, arXiv:1506.01186).

A stage is trained for a few steps with a rate that grows from far too small
to far too large, and then put back as it was. Where the loss falls well, and
not where it is lowest, is the rate to train with.
"""

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping

import keras
import numpy as np

FIRST_RATE, LAST_RATE, NUM_STEPS = 1e-7, 10.0, 100
_SMOOTHING = 0.98  # weight of the past in the moving average, as in fastai
_DIVERGED = 4.0  # times the lowest loss
_SETTLED = 10  # steps before the average of a small loss says something


@dataclasses.dataclass(frozen=True)
class RangeTest:
    """What a range test saw.

    Attributes:
        rates: float64 (S,), growing.
        losses: Smoothed loss after each step, float64 (S,).
    """

    rates: np.ndarray
    losses: np.ndarray

    def suggestions(self) -> dict[str, float]:
        """Returns a rate by each rule: `valley`, `steep`, `minimum/10`."""
        # The first losses are those of the start, the last ones diverge.
        kept = slice(len(self.rates) // 10, max(len(self.rates) - 5, 2))
        rates, losses = self.rates[kept], self.losses[kept]
        return {
            "valley": float(rates[valley(losses)]),
            "steep": float(rates[steepest(rates, losses)]),
            "minimum/10": float(rates[np.argmin(losses)]) / 10,
        }


def valley(losses: np.ndarray) -> int:
    """Returns a place halfway down the longest descent.

    The descent is the longest falling subsequence, so that a small rise on the
    way does not end it; the place is at half of its way, which is where
    fastai's suggestion of the same name lies.

    Args:
        losses: float (S,), S >= 1.
    """
    lengths = np.ones(len(losses), int)  # of the longest descent that ends here
    starts = np.arange(len(losses))
    for i in range(1, len(losses)):
        above = np.where(losses[:i] > losses[i], lengths[:i], 0)
        if above.any():
            before = above.argmax()
            lengths[i] = lengths[before] + 1
            starts[i] = starts[before]
    end = lengths.argmax()
    return int(starts[end] + end) // 2


def steepest(rates: np.ndarray, losses: np.ndarray) -> int:
    """Returns where the loss falls fastest over the logarithm of the rate."""
    return int(np.argmin(np.gradient(losses, np.log10(rates))))


def range_test(
    trained: keras.Model,
    compile_with: Callable[[np.ndarray], None],
    batches: Iterable,
    class_weight: Mapping[int, float] | None = None,
) -> RangeTest:
    """Trains with growing rates, then puts every variable back.

    Args:
        trained: Model to train; nothing of it is changed in the end but its
            optimizer, so compile it again.
        compile_with: Function from the rates, float (S,), one a step, that
            compiles `trained` with a new optimizer.
        batches: `NUM_STEPS` pairs (inputs, labels).
        class_weight: Weight of each class in the loss, or None.

    Raises:
        FloatingPointError: If the loss is not finite at the smallest rates.
    """
    rates = np.geomspace(FIRST_RATE, LAST_RATE, NUM_STEPS)
    # Weights, statistics, and the state of Dropout's random numbers.
    before = [(variable, variable.numpy()) for variable in trained.variables]
    compile_with(rates)
    average, lowest, losses = 0.0, math.inf, []
    try:
        for step, (inputs, labels) in zip(
            range(NUM_STEPS), batches, strict=False
        ):
            trained.reset_metrics()
            loss, *_ = trained.train_on_batch(
                list(inputs), labels, class_weight=class_weight
            )
            average = _SMOOTHING * average + (1 - _SMOOTHING) * float(loss)
            smoothed = average / (1 - _SMOOTHING ** (step + 1))
            if not smoothed < _DIVERGED * lowest:  # or it is no number
                break
            if step >= _SETTLED:
                lowest = min(lowest, smoothed)
            losses.append(smoothed)
    finally:
        for variable, value in before:
            variable.assign(value)
    if len(losses) < _SETTLED:
        raise FloatingPointError(
            "The learning-rate finder saw no finite loss, even at the smallest "
            "rates. Give --learning_rate a number."
        )
    return RangeTest(rates[: len(losses)], np.array(losses))
