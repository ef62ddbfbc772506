"""How good predictions are: numbers by scikit-learn, intervals by SciPy."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import binomtest
from sklearn import metrics

_BINS = 15  # of confidence, as in Guo et al. 2017


def evaluate(
    labels: np.ndarray, probabilities: np.ndarray, class_names: Sequence[str]
) -> dict:
    """Returns all numbers on some predictions, as JSON can hold them.

    Args:
        labels: Class of each photo, int (N,), N > 0.
        probabilities: float (N, C), rows that add up to 1.
        class_names: Names of the C classes.

    Returns:
        Each number by name, `mean_` before those that are means of classes;
        `classes` has those of one class against all others, by its name. What
        needs photos of a class, or of two, is None where there are none.
    """
    num_classes = len(class_names)
    probabilities = np.asarray(probabilities, "float64")
    predicted = probabilities.argmax(axis=1)
    every = np.arange(num_classes)
    right = int((predicted == labels).sum())
    present = np.unique(labels)
    precision, recall, f1, counts = metrics.precision_recall_fscore_support(
        labels, predicted, labels=every, zero_division=0.0
    )
    of_class = []
    for label in range(num_classes):
        ranked = {"roc_auc": None, "average_precision": None}
        is_label, scores = labels == label, probabilities[:, label]
        if is_label.any() and not is_label.all():
            ranked = {
                "roc_auc": float(metrics.roc_auc_score(is_label, scores)),
                "average_precision": float(
                    metrics.average_precision_score(is_label, scores)
                ),
            }
        of_class.append(
            {
                "photos": int(counts[label]),
                "precision": float(precision[label]),
                "recall": float(recall[label]),
                "f1": float(f1[label]),
                **ranked,
            }
        )
        if not counts[label]:
            of_class[-1] |= dict.fromkeys(("precision", "recall", "f1"))
    return {
        "photos": len(labels),
        "accuracy": right / len(labels),
        "accuracy_interval": wilson_interval(right, len(labels)),
        "balanced_accuracy": float(recall[present].mean()),
        **{
            f"mean_{name}": _mean([x[name] for x in of_class])
            for name in of_class[0]
            if name != "photos"
        },
        "log_loss": log_loss(labels, probabilities),
        "brier_score": float(
            metrics.brier_score_loss(
                labels == 1 if num_classes == 2 else labels,
                probabilities[:, 1]
                if num_classes == 2
                else _add_to_one(probabilities),
                labels=None if num_classes == 2 else every,
            )
        ),
        "expected_calibration_error": calibration_error(labels, probabilities),
        "classes": dict(zip(class_names, of_class, strict=True)),
        "confusion_matrix": metrics.confusion_matrix(
            labels, predicted, labels=every
        ).tolist(),
    }


def log_loss(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Returns the mean of minus the logarithm of the label's probability."""
    every = np.arange(probabilities.shape[1])
    exact = _add_to_one(np.asarray(probabilities, "float64"))
    return float(metrics.log_loss(labels, exact, labels=every))


def wilson_interval(successes: int, trials: int) -> list[float]:
    """Returns the 95% interval of a share, [low, high] (Wilson 1927)."""
    interval = binomtest(successes, trials).proportion_ci(0.95, "wilson")
    return [float(interval.low), float(interval.high)]


def reliability(
    labels: np.ndarray, probabilities: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns (confidence, accuracy, photos) of bins of confidence, (bins,).

    The confidence of a photo is the probability of its likeliest class; the
    bins are equally wide. In bins without photos, the first two are NaN.

    Args:
        labels: int (N,).
        probabilities: float (N, C).
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    # Closed above, as in the paper.
    bins = np.ceil(confidence * _BINS).astype(int).clip(1, _BINS) - 1
    counts = np.bincount(bins, minlength=_BINS)
    with np.errstate(invalid="ignore"):
        return (
            np.bincount(bins, confidence, minlength=_BINS) / counts,
            np.bincount(bins, right, minlength=_BINS) / counts,
            counts,
        )


def calibration_error(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Returns how far confidence is from accuracy, on average over photos.

    The expected calibration error (Guo et al. 2017, arXiv:1706.04599).
    """
    confidence, accuracy, counts = reliability(labels, probabilities)
    gaps = np.abs(np.nan_to_num(confidence - accuracy))
    return float((gaps * counts).sum() / counts.sum())


def most_confused(
    confusion_matrix: np.ndarray, class_names: Sequence[str]
) -> list[tuple[str, str, int]]:
    """Returns which class was taken for which, and how often, from the top.

    Args:
        confusion_matrix: Photos by right and predicted class, (C, C).
        class_names: Names of the C classes.

    Returns:
        (right class, predicted class, photos); none is without photos.
    """
    confused = [
        (class_names[right], class_names[taken], int(count))
        for (right, taken), count in np.ndenumerate(
            np.asarray(confusion_matrix)
        )
        if right != taken and count
    ]
    return sorted(confused, key=lambda pair: -pair[2])


def _add_to_one(probabilities):
    # Sums of float32 are off by 1e-7, which scikit-learn may warn of.
    return probabilities / probabilities.sum(axis=1, keepdims=True)


def _mean(values):
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
