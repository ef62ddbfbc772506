"""Trial of a runtime: its speed and its features beside TensorFlow's."""

import dataclasses
import time
from collections.abc import Sequence

import keras
import numpy as np

from thaw.cache.frozen_part import FrozenLayers, FrozenPart
from thaw.cache.runtime import BFLOAT16, DEFAULT_RUNTIME, Runtime
from thaw.cache.side_by_side import map_side_by_side

# Of the RMS of each boundary tensor.
_LARGEST_DIFFERENCE = {"float32": 1e-3, BFLOAT16: 0.1}
_LARGEST_LOSS = 1.01  # of that on float32 features
_LEAST_FITTED = 20  # photos
_STRENGTH = 0.1  # C of the logistic regression


@dataclasses.dataclass(frozen=True)
class Trial:
    """Result of a trial.

    Attributes:
        milliseconds: Of a photo.
        of_tensorflow: The same of TensorFlow in float32.
        problem: What is wrong with its features, or None.
    """

    milliseconds: float
    of_tensorflow: float
    problem: str | None = None

    @property
    def speedup(self) -> float:
        """Speed relative to TensorFlow in float32."""
        return self.of_tensorflow / self.milliseconds

    def describe(self) -> str:
        """Returns e.g. `1.5 ms a photo, TensorFlow in float32 3.6 ms`."""
        return (
            f"{self.milliseconds:.1f} ms a photo, TensorFlow in float32 "
            f"{self.of_tensorflow:.1f} ms"
        )


def time_photo(part: FrozenPart, images: np.ndarray) -> float:
    """Returns the milliseconds that a photo takes, compilation apart.

    Args:
        part: Frozen part.
        images: A batch of resized photos.
    """
    part(images)
    return 1e3 * _timed(part, [images])[0] / len(images)


def try_runtime(
    layers: FrozenLayers,
    boundary: Sequence[keras.KerasTensor],
    runtime: Runtime,
    batches: Sequence[np.ndarray],
    labels: np.ndarray,
) -> Trial:
    """Returns the trial of a runtime.

    Its boundary tensors may differ from those of TensorFlow in float32 by 0.1%
    of their RMS, or by 10% in bfloat16. A logistic regression fitted on its
    pooled features of half of the photos must have, on float32 features of the
    others, a loss at most 1% above that of one fitted on float32.

    Args:
        layers: Frozen layers.
        boundary: Boundary tensors.
        runtime: Runtime to try.
        batches: Resized training photos, float32 (B, H, W, 3) each.
        labels: Of all photos, int (N,).
    """
    parts = [
        FrozenPart(layers, [(boundary, "float32")], x)
        for x in (DEFAULT_RUNTIME, runtime)
    ]
    times, features = [0.0, 0.0], ([], [])
    # Not in turns: after the other's batch the threads of one are slow. But
    # TensorFlow before and after, for a machine that is shared.
    half = len(batches) // 2
    blocks = ((0, batches[:half]), (1, batches), (0, batches[half:]))
    for number, some in blocks:
        parts[number](batches[0])  # compiles it, and wakes its threads
        seconds, tensors = _timed(parts[number], some)
        times[number] += seconds
        features[number].extend(tensors)
    exact, other = (
        [np.concatenate(x) for x in zip(*tensors, strict=True)]
        for tensors in features
    )
    of_tensorflow, milliseconds = (1e3 * x / len(labels) for x in times)
    problem = _find_problem(exact, other, labels, runtime.precision)
    return Trial(milliseconds, of_tensorflow, problem)


def _timed(part, batches):
    """Returns the seconds, and boundary tensors, of batches."""
    start = time.perf_counter()
    tensors = list(map_side_by_side(part, batches))
    return time.perf_counter() - start, tensors


def _find_problem(exact, other, labels, precision):
    """Returns what is wrong with features, or None."""
    for expected, tensor in zip(exact, other, strict=True):
        rms = np.sqrt(np.mean(np.square(expected)))
        error = np.sqrt(np.mean(np.square(tensor - expected)))
        if not error <= _LARGEST_DIFFERENCE[precision] * rms:  # NaN, too
            return (
                f"its features differ by {error / max(rms, 1e-30):.2g} of "
                "their RMS"
            )
    fitted_on = len(labels) // 2
    loss_of_exact, loss = (
        _held_out_loss(_pool(x), _pool(exact), labels, fitted_on)
        for x in (exact, other)
    )
    if not loss <= _LARGEST_LOSS * loss_of_exact:
        return (
            "a linear classifier on its features has a loss of "
            f"{loss:.4f}, on TensorFlow's {loss_of_exact:.4f}"
        )
    return None


def _pool(tensors):
    """Returns means over all places, float64 (N, D), of boundary tensors."""
    return np.concatenate(
        [
            x.reshape(len(x), -1, x.shape[-1]).mean(axis=1, dtype="float64")
            for x in tensors
        ],
        axis=1,
    )


def _held_out_loss(features, exact, labels, fitted_on):
    """Returns the loss on exact features of photos that were not fitted."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    known = np.unique(labels[:fitted_on])
    if len(known) < 2 or fitted_on < _LEAST_FITTED:
        return 0.0  # chance would decide
    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=_STRENGTH, max_iter=500)
    ).fit(features[:fitted_on], labels[:fitted_on])
    judged = fitted_on + np.flatnonzero(np.isin(labels[fitted_on:], known))
    return log_loss(
        labels[judged], model.predict_proba(exact[judged]), labels=known
    )
