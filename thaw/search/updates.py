"""Updated estimates while a run trains, where the first is off."""

import time

import keras

from thaw.progress import say
from thaw.search.estimate import Estimate
from thaw.search.texts import duration

_OFF = 0.25  # of the last estimate
_MOST_LINES = 3
_TRUSTED_SECONDS = 2.0  # weight of the estimate, beside what is seen


class EstimateUpdates(keras.callbacks.Callback):
    """Says what a run takes in all, once that is off by more than a quarter."""

    def __init__(self, estimate: Estimate, started: float):
        """Takes the last estimate.

        Args:
            estimate: Of `thaw.search.estimate.estimate`.
            started: `time.perf_counter()` when the run was asked for.
        """
        super().__init__()
        self._epochs = [
            (stage.name, features + steps)
            for stage in estimate.stages
            for features, steps in zip(stage.features, stage.steps, strict=True)
        ]
        self._report = estimate.report
        self._given = estimate.total
        self._started = started
        self._last = time.perf_counter()
        self._next = 0  # epoch
        self._seen = {stage.name: [0.0, 0.0] for stage in estimate.stages}
        self._lines = 0

    def on_epoch_end(self, epoch, logs=None):
        """Counts the seconds of an epoch, and compares."""
        now = time.perf_counter()
        self._add(logs["stage"], now - self._last)
        self._last = now
        left = self._seconds_left(logs["stage"])
        total = now - self._started + left
        is_off = abs(total - self._given) > _OFF * self._given
        if is_off and self._lines < _MOST_LINES:
            self._given = total
            self._lines += 1
            say(f"About {duration(total)} in all, {duration(left)} left")

    def _add(self, stage, seconds):
        while self._epochs[self._next][0] != stage:  # that one was cut short
            self._next += 1
        self._seen[stage][0] += seconds
        self._seen[stage][1] += self._epochs[self._next][1]
        self._next += 1

    def _seconds_left(self, stage):
        """Returns the seconds left, as expected from those seen."""
        of_stage = _factor([self._seen[stage]])
        of_all = _factor(self._seen.values())
        return self._report + sum(
            seconds * (of_stage if name == stage else of_all)
            for name, seconds in self._epochs[self._next :]
        )


def _factor(pairs):
    """Returns how many times as long as estimated something takes.

    Args:
        pairs: Seconds taken, and estimated.
    """
    taken, estimated = map(sum, zip(*pairs, strict=True))
    return (taken + _TRUSTED_SECONDS) / (estimated + _TRUSTED_SECONDS)
