"""Metrics of predictions, by scikit-learn, with intervals by SciPy."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest
from sklearn import metrics

_MOST_WITHOUT_TOP_5 = 10  # classes
_BINS = 15  # of confidence, as in Guo et al. 2017


class ClassMetrics(NamedTuple):
    """Metrics of one class against all others.

    Attributes:
        support: Photos with that true label.
        precision, recall, f1: None where `support` is 0.
        roc_auc, average_precision: None where all photos, or none, have that
            label.
    """

    support: int
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    roc_auc: float | None = None
    average_precision: float | None = None


def class_metrics(
    labels: np.ndarray, probabilities: np.ndarray
) -> list[ClassMetrics]:
    """Returns the metrics of each class.

    Args:
        labels: True label of each photo, int (N,), N > 0.
        probabilities: float64 (N, C), rows that add up to 1.
    """
    num_classes = probabilities.shape[1]
    scores = metrics.precision_recall_fscore_support(
        labels,
        probabilities.argmax(axis=1),
        labels=range(num_classes),
        zero_division=0.0,
    )
    found = []
    for label, (*shares, support) in enumerate(zip(*scores, strict=True)):
        is_label, of_class = labels == label, probabilities[:, label]
        values: list[float | None] = [None] * len(shares)
        if support:
            values = [float(x) for x in shares]
        if 0 < support < len(labels):
            for score in (
                metrics.roc_auc_score,
                metrics.average_precision_score,
            ):
                values.append(float(score(is_label, of_class)))
        found.append(ClassMetrics(int(support), *values))
    return found


def macro(values: Iterable[float | None]) -> float | None:
    """Returns the mean of those that are not None, None where all are."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def log_loss(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Returns the mean of minus the logarithm of the label's probability."""
    every = np.arange(probabilities.shape[1])
    exact = _add_to_one(np.asarray(probabilities, "float64"))
    return float(metrics.log_loss(labels, exact, labels=every))


def brier_score(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Returns the Brier score; arguments as of `class_metrics`.

    Of two classes it is, by tradition, half the sum over both.
    """
    num_classes = probabilities.shape[1]
    if num_classes == 2:
        score = metrics.brier_score_loss(labels == 1, probabilities[:, 1])
    else:
        score = metrics.brier_score_loss(
            labels, _add_to_one(probabilities), labels=range(num_classes)
        )
    return float(score)


def top_5_accuracy(
    labels: Sequence[int] | np.ndarray, probabilities: np.ndarray
) -> float | None:
    """Returns the share of photos with the label among the 5 most probable.

    None where there are at most 10 classes: half of them are among 5 then.
    """
    num_classes = probabilities.shape[1]
    if num_classes <= _MOST_WITHOUT_TOP_5:
        return None
    every = range(num_classes)
    score = metrics.top_k_accuracy_score(
        labels, probabilities, k=5, labels=every
    )
    return float(score)


def wilson_interval(successes: int, trials: int) -> list[float]:
    """Returns the 95% interval of a share, [low, high] (Wilson 1927)."""
    interval = binomtest(successes, trials).proportion_ci(0.95, "wilson")
    return [float(interval.low), float(interval.high)]


def reliability(
    labels: np.ndarray, probabilities: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns (confidence, accuracy, photos) of bins of confidence, (bins,).

    The confidence of a photo is the probability of its predicted label; the
    bins are equally wide. In bins without photos, the first two are NaN.

    Args:
        labels: int (N,).
        probabilities: float (N, C).
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    # Closed above, as in the paper.
    bins = np.ceil(confidence * _BINS).astype(int).clip(1, _BINS) - 1
    counts = np.bincount(bins, minlength=_BINS)
    with np.errstate(invalid="ignore"):
        return (
            np.bincount(bins, confidence, minlength=_BINS) / counts,
            np.bincount(bins, correct, minlength=_BINS) / counts,
            counts,
        )


def calibration_error(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Returns the mean gap between confidence and accuracy over photos.

    The expected calibration error (Guo et al. 2017, arXiv:1706.04599).
    """
    confidence, accuracy, counts = reliability(labels, probabilities)
    gaps = np.abs(np.nan_to_num(confidence - accuracy))
    return float((gaps * counts).sum() / counts.sum())


def most_confused(
    confusion_matrix: np.ndarray, class_names: Sequence[str]
) -> list[tuple[str, str, int]]:
    """Returns the pairs of classes that are confused, the most often first.

    Args:
        confusion_matrix: Photos by true and predicted label, (C, C).
        class_names: Names of the C classes.

    Returns:
        (true label, predicted label, photos); none is without photos.
    """
    wrong = np.array(confusion_matrix)
    np.fill_diagonal(wrong, 0)
    confused = [
        (class_names[true], class_names[predicted], int(wrong[true, predicted]))
        for true, predicted in np.argwhere(wrong)
    ]
    return sorted(confused, key=lambda pair: -pair[2])


def _add_to_one(probabilities):
    # Sums of float32 are off by 1e-7, which scikit-learn may warn of.
    return probabilities / probabilities.sum(axis=1, keepdims=True)
