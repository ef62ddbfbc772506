"""Train/validation split that keeps groups together."""

from typing import Any

import numpy as np

from thaw.data.groups import group_folds, number_groups
from thaw.data.photos import Photos

_MOST_FOLDS = 100
_NEAR = 0.01  # of the fraction: fewer folds are better stratified


def grouped_rows(
    photos: Photos, validation_fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns rows to train and to validate on: each group in one of the two.

    As near to the same share of each class as groups allow. Each class is in
    both, where it has two groups and these do not have to stay in training
    for the sake of another class. A class with one group only trains.

    Args:
        photos: Photos with groups.
        validation_fraction: Share of each class to validate on, in (0, 1).
        seed: Seed of the choice.

    Returns:
        Two arrays of ints, ascending.
    """
    numbers, labels = number_groups(photos.groups), photos.labels
    counts = np.zeros((numbers.max() + 1, len(photos.class_names)), int)
    np.add.at(counts, (numbers, labels), 1)
    has_class = counts > 0  # (G, C)
    is_only = has_class.sum(axis=0) == 1
    may_validate: Any = ~has_class[:, is_only].any(axis=1)
    validates = np.zeros(len(counts), bool)
    rows = np.flatnonzero(may_validate[numbers])
    most = min(may_validate.sum(), np.bincount(labels[rows], minlength=1).max())
    if most >= 2:
        num_folds, num_taken = _choose_folds(validation_fraction, int(most))
        folds = [
            np.unique(numbers[rows[held_out]])
            for _, held_out in group_folds(
                labels[rows], numbers[rows], num_folds, seed
            )
        ]
        for taken in range(num_taken):
            share = validation_fraction * (taken + 1) / num_taken
            best = min(
                range(len(folds)),
                key=lambda x: _misfit(counts, validates, folds[x], share),
            )
            validates[folds.pop(best)] = True
    _complete(counts, validates, may_validate)
    chosen = validates[numbers]
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def _choose_folds(fraction, most):
    """Returns (K, k) where k of K folds are nearly `fraction`, K small."""

    def taken(num_folds):
        return min(max(round(fraction * num_folds), 1), num_folds - 1)

    best = min(
        range(2, min(most, _MOST_FOLDS) + 1),
        key=lambda x: max(abs(taken(x) / x - fraction), _NEAR),
    )
    return best, taken(best)


def _misfit(counts, validates, fold, share):
    """Returns how badly a fold would complete the validation photos.

    First the number of classes that either split lacks, then how far the
    shares of the classes, and of all, are from `share`.
    """
    totals = counts.sum(axis=0)
    chosen = counts[validates].sum(axis=0) + counts[fold].sum(axis=0)
    lacking = (chosen == 0) | (chosen == totals)
    of_classes = np.abs(chosen / np.maximum(totals, 1) - share)
    of_all = abs(chosen.sum() / totals.sum() - share)
    return lacking.sum(), of_classes.mean() + of_all


def _complete(counts, validates, may_validate):
    """Moves groups, so that no split lacks a class that it could have.

    Training comes first: without photos of a class it can't be learnt.
    """
    has_class, sizes = counts > 0, counts.sum(axis=1)
    for label in range(counts.shape[1]):
        having = np.flatnonzero(has_class[:, label])
        if len(having) and validates[having].all():
            lost = has_class[having] & (has_class[validates].sum(axis=0) == 1)
            order = np.lexsort([sizes[having], lost.sum(axis=1)])
            validates[having[order[0]]] = False
    for label in np.argsort(has_class.sum(axis=0), kind="stable"):
        if (has_class[:, label] & validates).any():
            continue
        is_last = has_class[~validates].sum(axis=0) == 1
        spare = may_validate & ~(has_class & is_last).any(axis=1)
        having = np.flatnonzero(has_class[:, label] & spare)
        if len(having):
            validates[having[np.argmin(sizes[having])]] = True
