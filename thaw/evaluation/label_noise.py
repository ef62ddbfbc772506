"""Suspected label errors, by confident learning.

Northcutt, Jiang & Chuang 2021, "Confident Learning: Estimating Uncertainty in
Dataset Labels" (arXiv:1911.00068), with one change: suspected photos are left
out when the classifier is fitted again, a few times. A fifth of wrong labels in
one class otherwise teach it to be wrong, and to be unsure of the right ones.
"""

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

_FOLDS = 5
_ROUNDS = 8  # at most
_DIMENSIONS = 128  # of the features; more are slower, not better
_INVERSE_PENALTY = 0.03


class SuspectedLabel(NamedTuple):
    """A photo whose label may be wrong.

    Attributes:
        row: Row of the photo.
        suggested: The class that it looks like.
        margin: Probability of that class, less that of the label, in (0, 1].
    """

    row: int
    suggested: int
    margin: float


def find_label_issues(
    features: np.ndarray,
    labels: np.ndarray,
    paths: Sequence[str],
    splits: Sequence[str],
    class_names: Sequence[str],
) -> list[dict]:
    """Returns the rows of label_issues.csv, the most suspect first.

    Args:
        features: Input of the head for each photo, float (N, D).
        labels: int (N,).
        paths: (N,).
        splits: Of each photo, e.g. `train`, (N,).
        class_names: Names of the classes.
    """
    return [
        {
            "path": paths[found.row],
            "split": splits[found.row],
            "label": class_names[labels[found.row]],
            "suggested": class_names[found.suggested],
            "margin": round(found.margin, 4),
        }
        for found in find_suspected(features, labels)
    ]


def find_suspected(
    features: np.ndarray, labels: np.ndarray
) -> list[SuspectedLabel]:
    """Returns the photos that look like another class, the most suspect first.

    Every photo is classified by a linear classifier fitted without it.

    Args:
        features: Input of the head for each photo, float (N, D).
        labels: int (N,).

    Returns:
        An empty list also where a class has only one photo: there is nothing
        to compare it with.
    """
    names, labels = np.unique(labels, return_inverse=True)
    counts = np.bincount(labels)
    if len(names) < 2 or counts.min() < 2:
        return []
    folds = StratifiedKFold(
        min(_FOLDS, counts.min()), shuffle=True, random_state=0
    )
    folds = list(folds.split(labels, labels))
    features = _reduce(features)
    kept = np.ones(len(labels), bool)
    for _ in range(_ROUNDS):
        probabilities = _out_of_fold(features, labels, kept, folds)
        thresholds = _self_confidence(probabilities, labels, kept)
        before = kept
        kept = (probabilities - thresholds).argmax(axis=1) == labels
        if (kept == before).all():
            break
        # A class may lose all but a few: then the labels are all there is.
        if np.bincount(labels[kept], minlength=len(names)).min() < _FOLDS:
            kept = before
            break
    return sorted(
        (
            SuspectedLabel(int(row), int(names[likely]), float(margin))
            for row, likely, margin in _prune(probabilities, labels, kept)
        ),
        key=lambda found: -found.margin,
    )


def _reduce(features):
    dimensions = min(_DIMENSIONS, *features.shape)
    reduce = make_pipeline(StandardScaler(), PCA(dimensions, random_state=0))
    return reduce.fit_transform(np.asarray(features, "float32"))


def _out_of_fold(features, labels, kept, folds):
    """Returns the probabilities by classifiers that did not see the photo."""
    probabilities = np.zeros((len(labels), labels.max() + 1))
    for fitted, held_out in folds:
        fitted = fitted[kept[fitted]]
        classifier = LogisticRegression(
            C=_INVERSE_PENALTY, tol=1e-3, max_iter=300
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # near enough
            classifier.fit(features[fitted], labels[fitted])
        columns = classifier.classes_
        probabilities[np.ix_(held_out, columns)] = classifier.predict_proba(
            features[held_out]
        )
    return probabilities


def _self_confidence(probabilities, labels, kept):
    """Returns the mean probability that photos of a class have of it, (C,)."""
    own = probabilities[np.arange(len(labels)), labels]
    sums = np.bincount(labels[kept], own[kept], minlength=labels.max() + 1)
    return sums / np.bincount(labels[kept], minlength=labels.max() + 1)


def _prune(probabilities, labels, kept):
    """Yields (row, class, margin): "prune by noise rate" of the paper.

    As many photos of each pair of classes as the confident joint says, those
    with the largest margin.
    """
    num_classes = probabilities.shape[1]
    is_confident = probabilities >= _self_confidence(
        probabilities, labels, kept
    )
    counted = is_confident.any(axis=1)
    predicted = np.where(is_confident, probabilities, -1).argmax(axis=1)
    joint = np.zeros((num_classes, num_classes))
    np.add.at(joint, (labels[counted], predicted[counted]), 1)
    # Calibrated: as many photos of each label as there are.
    joint *= (np.bincount(labels) / np.maximum(joint.sum(axis=1), 1))[:, None]
    likeliest = probabilities.argmax(axis=1)
    own = probabilities[np.arange(len(labels)), labels]
    margins = probabilities.max(axis=1) - own
    for label, likely in zip(*np.nonzero(np.rint(joint)), strict=True):
        if label == likely:
            continue
        rows = np.flatnonzero((labels == label) & (likeliest == likely))
        rows = rows[np.argsort(-margins[rows], kind="stable")]
        for row in rows[: int(np.rint(joint[label, likely]))]:
            yield row, likely, margins[row]
