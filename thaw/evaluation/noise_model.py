"""Model of wrong labels: a calibrated classifier, and how often labels differ.

A photo that a classifier is unsure of often has another label than the
predicted one, without any error; how often, falls with its confidence towards
0. Wrong labels stay, at any confidence. The model has both: probabilities whose
confidence is fitted to the labels (temperature scaling), and a rate at which
photos of each class got another label. It is logistic regression on
contaminated data (Copas 1988, "Binary Regression Models for Contaminated
Data"), fitted by expectation maximization.
"""

from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

_FIRST_RATE = 0.02  # of wrong labels; with more, hard tasks seem full of them
_PRIOR_PHOTOS = 10.0  # of each class, with wrong labels as often as all have
_SCALE, _SCALE_PRECISION = 1.0, 2.0  # logarithm expected: scores are too small
_BIAS_PRECISION = 0.1
_ITERATIONS = 60  # at most
_SMALLEST_STEP = 1e-3  # of a probability


def true_label_probabilities(
    scores: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """Returns the probabilities of each photo's true label, float64 (N, C).

    Those given its score and the label that it has.

    Args:
        scores: Logarithms of probabilities by a classifier that saw neither
            the photo nor its label, and takes all classes as equally frequent,
            float (N, C).
        labels: The label that each photo has, right or wrong, int (N,).
    """
    num_classes = scores.shape[1]
    transition = _transition(np.eye(num_classes), _FIRST_RATE)
    frequency = np.bincount(labels, minlength=num_classes) / len(labels)
    calibration = np.array([_SCALE, *np.zeros(num_classes)])
    true: Any = None
    for _ in range(_ITERATIONS):
        logits = _calibrated(scores, calibration) + np.log(frequency)
        likelihood = np.log(transition[:, labels].T)
        before, true = true, softmax(log_softmax(logits, 1) + likelihood, 1)
        if before is not None and np.abs(true - before).max() < _SMALLEST_STEP:
            break
        frequency = (true.sum(0) + 0.5) / (len(true) + 0.5 * num_classes)
        counts = np.zeros((num_classes, num_classes))  # by true label and label
        np.add.at(counts.T, labels, true)
        wrong = counts.sum() - np.trace(counts)
        rate = (wrong + 0.5) / (len(true) + 1 + _PRIOR_PHOTOS)
        transition = _transition(counts, rate)
        calibration = _calibrate(calibration, scores, true, frequency)
    return true


def _transition(counts, rate):
    """Returns the probability of each label by true label, (C, C)."""
    num_classes = len(counts)
    prior = np.full(counts.shape, rate / (num_classes - 1))
    np.fill_diagonal(prior, 1 - rate)
    counts = counts + _PRIOR_PHOTOS * prior
    return counts / counts.sum(axis=1, keepdims=True)


def _calibrated(scores, calibration):
    """Returns logits, by the logarithm of a scale and a bias of each class."""
    return np.exp(calibration[0]) * scores + calibration[1:]


def _calibrate(calibration, scores, true, frequency):
    """Returns the calibration, some steps nearer to the true labels."""
    expected = np.array([_SCALE, *np.zeros(len(frequency))])
    precision = np.full(len(expected), _BIAS_PRECISION)
    precision[0] = _SCALE_PRECISION

    def loss(values):
        log_p = log_softmax(_calibrated(scores, values) + np.log(frequency), 1)
        residuals, off = np.exp(log_p) - true, values - expected
        of_scale = np.exp(values[0]) * (residuals * scores).sum()
        return (
            (precision * off**2).sum() / 2 - (true * log_p).sum(),
            np.array([of_scale, *residuals.sum(axis=0)]) + precision * off,
        )

    steps = {"maxiter": 5}  # the next iteration goes on
    found = minimize(
        loss, calibration, jac=True, method="L-BFGS-B", options=steps
    )
    return found.x
