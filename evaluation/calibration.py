"""Temperature scaling: probabilities that mean what they say."""

import numpy as np
from scipy.optimize import minimize_scalar

_LOWEST, _HIGHEST = 0.05, 20.0  # temperatures
_SMALLEST = 1e-12  # probability; float32 has zeros


def fit_temperature(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Returns the temperature with the lowest log loss.

    Guo et al. 2017, "On Calibration of Modern Neural Networks"
    (arXiv:1706.04599), section 4.2. Over 1, the model was too sure of itself.

    Args:
        labels: int (N,).
        probabilities: float (N, C), of a softmax; or, with two columns, of a
            sigmoid.
    """
    rows = np.arange(len(labels))

    def log_loss(log_temperature):
        scaled = scale(probabilities, np.exp(log_temperature))
        return -np.log(np.maximum(scaled[rows, labels], _SMALLEST)).mean()

    bounds = np.log([_LOWEST, _HIGHEST])
    found = minimize_scalar(log_loss, bounds=bounds, method="bounded")
    return float(np.exp(found.x))


def scale(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Returns what the probabilities are at a temperature, float64 (N, C).

    Their logarithms are the logits but for a constant, which softmax forgets.
    """
    logits = np.log(np.maximum(np.asarray(probabilities, "float64"), _SMALLEST))
    logits = logits / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def scale_unseen(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Returns probabilities scaled by temperatures of other photos.

    Each half of the photos by what the other half says, so that what comes out
    shows what calibration is worth on photos it was not fitted to.

    Args:
        labels: int (N,).
        probabilities: float (N, C).
    """
    half = np.random.default_rng(0).permutation(len(labels)) % 2 == 0
    scaled = np.zeros(np.shape(probabilities))
    for fitted, judged in ((half, ~half), (~half, half)):
        temperature = 1.0
        if fitted.any():
            temperature = fit_temperature(labels[fitted], probabilities[fitted])
        scaled[judged] = scale(probabilities[judged], temperature)
    return scaled
