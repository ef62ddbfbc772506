"""Temperature scaling: probabilities that mean what they say."""

import numpy as np
from scipy.optimize import minimize_scalar

_LOWEST, _HIGHEST = 0.05, 20.0  # temperatures
_NEAR = 0.2  # to one of these, in logarithms: there is no best one
_SMALLEST = 1e-300  # probability


def fit_temperature(labels: np.ndarray, logits: np.ndarray) -> float | None:
    """Returns the temperature with the lowest log loss, or None.

    None where the loss only falls towards 0 or towards infinity: of photos
    that are all right, say, the surer the better, which means nothing.

    Guo et al. 2017, "On Calibration of Modern Neural Networks"
    (arXiv:1706.04599), section 4.2. Over 1, the model was too sure of itself.

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
    logits = np.asarray(logits, "float64") / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def scale_unseen(labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Returns probabilities at temperatures that other photos gave, (N, C).

    Each half of the photos at what suits the other half, so that what comes
    out shows what calibration is worth on photos it was not fitted to.

    Args:
        labels: int (N,).
        logits: float (N, C).
    """
    half = np.random.default_rng(0).permutation(len(labels)) % 2 == 0
    scaled = np.zeros(np.shape(logits))
    for fitted, judged in ((half, ~half), (~half, half)):
        temperature = None
        if fitted.any():
            temperature = fit_temperature(labels[fitted], logits[fitted])
        scaled[judged] = scale(logits[judged], temperature or 1.0)
    return scaled
