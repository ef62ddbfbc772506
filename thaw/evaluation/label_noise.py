"""Suspected label errors: labels that a classifier is too sure are wrong.

As in confident learning (Northcutt, Jiang & Chuang 2021, arXiv:1911.00068), a
linear classifier judges every photo without having seen it. A photo is listed
where its label is likelier to be wrong than the difficulty of the task
explains (`noise_model`). The classifier is fitted again, a few times, with the
labels that are likely: a fifth of wrong labels in one class otherwise teach it
to be wrong, and to be unsure of the right ones.
"""

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from thaw.data.groups import group_folds
from thaw.evaluation.metrics import wilson_interval
from thaw.evaluation.noise_model import true_label_probabilities

_FOLDS = 5
_ROUNDS = 5  # at most
_SETTLED = 0.02  # change of a probability, from one round to the next
_DIMENSIONS = 128  # of the features; more are slower, not better
_INVERSE_PENALTY = 0.02
_LIKELY = 0.02  # probability of a label to learn from
_LISTED = 0.6  # probability that a label is wrong; of few photos, too high
_TOLD_APART = 0.2  # of the way from chance to always right
_LEAST_RIGHT = 0.25  # of the labels of a class, for it to be judged
_SMALLEST = 1e-9  # probability


class SuspectedLabel(NamedTuple):
    """A photo whose label may be wrong.

    Attributes:
        row: Row of the photo.
        suggested: The class that it looks like.
        probability: Of the label to be wrong.
    """

    row: int
    suggested: int
    probability: float


def find_suspected(
    features: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray | None = None,
    progress: Callable[[float], None] | None = None,
) -> tuple[list[SuspectedLabel], list[int]]:
    """Returns the photos that look like another class, and what isn't judged.

    Every photo is classified by a linear classifier fitted without it, and
    without its group.

    Args:
        features: Input of the head for each photo, float (N, D).
        labels: int (N,).
        groups: Group of each photo, e.g. its patient, int (N,); None: each
            photo is one of its own.
        progress: Called with the share that is done, in (0, 1].

    Returns:
        The suspected labels, the most suspect first, and the classes whose
        labels can't be judged.
    """
    names, counts = np.unique(labels, return_counts=True)
    num_groups = counts
    if groups is not None:
        pairs = np.unique(np.stack([labels, groups]), axis=1)
        num_groups = np.unique(pairs[0], return_counts=True)[1]
    enough = (counts >= _FOLDS) & (num_groups > 1)
    if enough.sum() < 2:
        return [], names.tolist()
    rows = np.flatnonzero(np.isin(labels, names[enough]))
    classes, codes = np.unique(labels[rows], return_inverse=True)
    num_folds = min(_FOLDS, num_groups[enough].min())
    groups = None if groups is None else groups[rows]
    folds = _make_folds(num_folds, codes, groups)
    # Threads of BLAS wait for each other by spinning: beside TensorFlow's, and
    # on a machine that has other work, they make it 20 times slower.
    with threadpool_limits(1, "blas"):
        true, judged = _judge(_reduce(features[rows]), codes, folds, progress)
    found = [
        SuspectedLabel(int(rows[row]), int(classes[suggested]), probability)
        for row, suggested, probability in _suspects(true, codes, judged)
    ]
    not_judged = np.setdiff1d(names, classes[judged]).tolist()
    return sorted(found, key=lambda photo: -photo.probability), not_judged


def _make_folds(num_folds, labels, groups):
    """Returns the rows to fit and to judge in each fold."""
    if groups is not None:
        return group_folds(labels, groups, num_folds, seed=0)
    splitter = StratifiedKFold(num_folds, shuffle=True, random_state=0)
    return list(splitter.split(labels, labels))


def _judge(features, labels, folds, progress):
    """Returns probabilities of the true labels, (N, C), and judged classes."""
    own = np.eye(labels.max() + 1)[labels]
    true, judged = own, None
    for number in range(_ROUNDS):
        scores = _out_of_fold(features, true, folds)
        if progress is not None:
            progress((number + 1) / _ROUNDS)
        if judged is None:
            judged = _told_apart(scores.argmax(axis=1), labels)
        before, true = true, true_label_probabilities(scores, labels)
        # Of a class that loses most of its photos, the labels are all there is.
        judged &= (own * true).sum(axis=0) >= own.sum(axis=0) * _LEAST_RIGHT
        true = np.where(judged[labels][:, None], true, own)
        if np.abs(true - before).max() < _SETTLED:
            break
    return true, judged


def _reduce(features):
    dimensions = min(_DIMENSIONS, *features.shape)
    reduce = make_pipeline(StandardScaler(), PCA(dimensions, random_state=0))
    return reduce.fit_transform(np.asarray(features, "float32"))


def _out_of_fold(features, true, folds):
    """Returns logarithms of probabilities by classifiers without the photo.

    Each learns from all labels that are likely, with the sums of the weights
    equal over classes, and none above that of a middling class: of a few photos
    of a rare class, it would learn every detail.
    """
    num_classes = true.shape[1]
    # A class that is missing in a fold is as likely as not.
    probabilities = np.full(true.shape, 1 / num_classes)
    for fitted, held_out in folds:
        rows, labels = np.nonzero(true[fitted] > _LIKELY)
        rows = fitted[rows]
        weights = true[rows, labels]
        sums = np.bincount(labels, weights, minlength=num_classes)
        harmonic_mean = (sums > 0).sum() / (1 / sums[sums > 0]).sum()
        classifier = LogisticRegression(
            C=_INVERSE_PENALTY, tol=1e-3, max_iter=300
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # near enough
            classifier.fit(
                features[rows], labels, weights * (harmonic_mean / sums[labels])
            )
        columns = np.ix_(held_out, classifier.classes_)
        probabilities[columns] = classifier.predict_proba(features[held_out])
    return np.log(np.maximum(probabilities, _SMALLEST))


def _told_apart(predicted, labels):
    """Returns whether each class is predicted better than by chance, (C,).

    By chance, photos of the class and others are predicted as it equally often.
    """
    told = []
    for label in range(labels.max() + 1):
        is_label, is_predicted = labels == label, predicted == label
        hits, photos = (is_label & is_predicted).sum(), is_label.sum()
        by_chance = is_predicted[~is_label].mean()
        low, _ = wilson_interval(int(hits), int(photos))
        told.append(low > by_chance and hits / photos - by_chance > _TOLD_APART)
    return np.array(told)


def _suspects(true, labels, judged):
    """Yields (row, class, probability that the label is wrong)."""
    others = true * judged
    others[np.arange(len(labels)), labels] = 0
    wrong = others.sum(axis=1) * judged[labels]
    for row in np.flatnonzero(wrong >= _LISTED):
        yield row, others[row].argmax(), float(wrong[row])
