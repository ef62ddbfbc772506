"""Temperature scaling: probabilities whose confidence is their accuracy."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from thaw.errors import UserError
from thaw.evaluation.predictions import Predictions

_LOWEST, _HIGHEST = 0.05, 20.0  # temperatures
_NEAR = 0.2  # to one of these, in logarithms: there is no best one
_SMALLEST = 1e-300  # probability


class Calibrated(NamedTuple):
    """Result of a calibration.

    Attributes:
        before: Predictions as they were.
        temperature: Divisor of their logits.
        unseen: Probabilities at temperatures fitted to other photos, (N, C).
    """

    before: Predictions
    temperature: float
    unseen: np.ndarray


def calibrate_predictions(
    predictions: Predictions,
) -> tuple[Predictions, Calibrated]:
    """Returns predictions at the temperature that suits them best.

    Raises:
        UserError: If there is none.
    """
    labels, logits = predictions.labels, predictions.logits
    temperature = fit_temperature(labels, logits)
    if temperature is None:
        wrong = (predictions.predicted != labels).sum()
        raise UserError(
            f"`calibrate`: the log loss has no minimum ({wrong} of "
            f"{len(labels)} photos are misclassified). The model is unchanged."
        )
    calibrated = Calibrated(
        predictions, temperature, scale_unseen(labels, logits)
    )
    scaled = scale(logits, temperature)
    return predictions._replace(probabilities=scaled), calibrated


def fit_temperature(labels: np.ndarray, logits: np.ndarray) -> float | None:
    """Returns the temperature with the lowest log loss, or None.

    None where the loss only falls towards 0 or towards infinity: where all
    photos are classified correctly, say, more confidence is always better,
    which means nothing.

    Guo et al. 2017, "On Calibration of Modern Neural Networks"
    (arXiv:1706.04599), section 4.2. Over 1, the model was overconfident.

    Args:
        labels: int (N,).
        logits: float (N, C).
    """
    rows = np.arange(len(labels))

    def log_loss(log_temperature):
        scaled = scale(logits, np.exp(log_temperature))
        return -np.log(np.maximum(scaled[rows, labels], _SMALLEST)).mean()

    bounds = np.log([_LOWEST, _HIGHEST])
    found = minimize_scalar(log_loss, bounds=bounds, method="bounded")
    if np.abs(bounds - found.x).min() < _NEAR:
        return None
    return float(np.exp(found.x))


def scale(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Returns the probabilities at a temperature, float64 (N, C)."""
    return softmax(np.asarray(logits, "float64") / temperature, axis=1)


def scale_unseen(labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Returns probabilities at temperatures fitted to other photos, (N, C).

    Each half of the photos at the temperature of the other half, so that the
    result shows what calibration is worth on photos it was not fitted to.

    Args:
        labels: int (N,).
        logits: float (N, C).
    """
    half = np.random.default_rng(0).permutation(len(labels)) % 2 == 0
    scaled = np.zeros(np.shape(logits))
    for fitted, other in ((half, ~half), (~half, half)):
        temperature = None
        if fitted.any():
            temperature = fit_temperature(labels[fitted], logits[fitted])
        scaled[other] = scale(logits[other], temperature or 1.0)
    return scaled
