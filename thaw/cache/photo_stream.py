"""Stream of features in parts, taken in batches of any size."""

from collections.abc import Iterator, Sequence

import numpy as np


class PhotoStream:
    """Photos that come some at a time, taken in any number."""

    def __init__(self, parts: Iterator):
        """Takes an iterator of (labels, boundary tensors)."""
        self._parts = parts
        self._labels: Sequence[int] | np.ndarray = ()
        self._tensors: list[np.ndarray] = []

    def take(self, count: int):
        """Returns (labels, boundary tensors) of the next `count` photos.

        Raises:
            StopIteration: If there are not as many.
        """
        taken = []
        while count:
            if not len(self._labels):
                self._labels, self._tensors = next(self._parts)
            taken.append(
                (self._labels[:count], [x[:count] for x in self._tensors])
            )
            some = len(taken[-1][0])
            self._labels = self._labels[some:]
            self._tensors = [x[some:] for x in self._tensors]
            count -= some
        if len(taken) == 1:
            return taken[0]
        labels, tensors = zip(*taken, strict=True)
        return (
            np.concatenate(labels),
            [np.concatenate(x) for x in zip(*tensors, strict=True)],
        )
