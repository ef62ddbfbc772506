"""Paired bootstrap: the difference between two models, and its noise."""

from typing import NamedTuple

import numpy as np
import scipy.stats

_DRAWN_AT_A_TIME = 2_000_000  # photos: bounds the memory


class Difference(NamedTuple):
    """A difference of two means, with its 95% interval.

    Attributes:
        mean: The difference itself.
        low, high: Ends of the interval.
    """

    mean: float
    low: float
    high: float

    @property
    def within_noise(self) -> bool:
        """True if the interval holds 0."""
        return self.low <= 0 <= self.high


def paired_difference(
    values: np.ndarray,
    others: np.ndarray,
    *,
    num_resamples: int = 5000,
    seed: int = 0,
) -> Difference:
    """Returns the mean of `values` minus that of `others`, with its interval.

    The percentile bootstrap (Efron & Tibshirani 1993, chapter 13), in pairs:
    both models are resampled on the same photos, so that photos which are hard
    for both don't count as noise.

    Args:
        values: Of one model, a number for each photo, e.g. 1.0 where it is
            right, float (N,), N > 0.
        others: Of the other one, of the same photos in the same order.
        num_resamples: How often N photos are drawn from the N.
        seed: Of the draws.

    Raises:
        ValueError: If the shapes differ, or there is no photo.
    """
    values, others = np.asarray(values, float), np.asarray(others, float)
    if values.shape != others.shape or values.ndim != 1 or not values.size:
        raise ValueError(
            "`values` and `others` must have the same shape (N,), N >= 1. "
            f"Received shapes: {values.shape} and {others.shape}"
        )
    differences = values - others
    if len(differences) == 1:  # of one photo, nothing is known of the noise
        (difference,) = differences
        return Difference(float(difference), -np.inf, np.inf)
    interval = scipy.stats.bootstrap(
        [differences],
        np.mean,
        n_resamples=num_resamples,
        batch=max(1, _DRAWN_AT_A_TIME // len(differences)),
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Difference(
        float(differences.mean()), float(interval.low), float(interval.high)
    )
