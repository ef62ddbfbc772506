"""Heads that are solved to their optimum instead of trained by steps.

On features that never change, the best last layer is a convex problem: a
linear classifier on a pretrained network's features (Donahue et al. 2014,
arXiv:1310.1531; Razavian et al. 2014, arXiv:1403.6382). scikit-learn solves
it; the result is written into the model's Dense layer, so that what is saved
is one plain Keras model.
"""

import warnings

import numpy as np

from thaw.data.groups import group_folds
from thaw.errors import UserError

# Strength of the data against the L2 penalty; the one with the lowest loss
# (linear) or error (svm) on held-out folds is taken.
_STRENGTHS = {
    "linear": (1e-3, 1e-2, 3e-2, 1e-1, 1.0),
    "svm": (1e-4, 1e-3, 1e-2),
}
_FOLDS = 3
MOST_PHOTOS = 20_000  # more make a linear head slower, and hardly better


def solve_head(
    features: np.ndarray,
    labels: np.ndarray,
    solver: str,
    groups: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the kernel and the bias of the best Dense layer.

    Args:
        features: float32 (N, D). Of more than 20,000 photos the first are
            used, which have to be drawn at random.
        labels: int (N,).
        solver: `linear` (logistic regression) or `svm` (linear support vector
            machine, Cortes & Vapnik 1995, its margins scaled to probabilities
            on held-out folds, Platt 1999).
        groups: Ints (N,) of photos that are held out together, or None.

    Returns:
        float32 (D, 1) and (1,) for two classes, for a sigmoid; (D, K) and
        (K,) for K, for a softmax.

    Raises:
        UserError: If there are too few photos for an svm.
    """
    from sklearn import linear_model, model_selection, svm
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    features, labels = features[:MOST_PHOTOS], labels[:MOST_PHOTOS]
    groups = groups if groups is None else groups[:MOST_PHOTOS]
    scaler = StandardScaler()
    scaled = scaler.fit_transform(features.astype("float64"))
    if solver == "linear":
        model = linear_model.LogisticRegression(C=0.1, max_iter=1000)
    else:
        model = svm.LinearSVC()
    folds = _folds(labels, groups)
    if folds:
        model = model_selection.GridSearchCV(
            model,
            {"C": _STRENGTHS[solver]},
            cv=folds,
            scoring=_negative_log_loss if solver == "linear" else "accuracy",
        )
    elif solver == "svm":
        raise UserError(
            f"`head=svm` is solved with cross-validation, which takes {_FOLDS} "
            "training photos of a class (with groups, photos of two groups). "
            "Add photos, or use another `head`."
        )
    # Threads of BLAS wait for each other by spinning: beside TensorFlow's, and
    # on a machine that has other work, they make it 20 times slower.
    with threadpool_limits(1, "blas"):
        model.fit(scaled, labels)
    best = getattr(model, "best_estimator_", model)
    scale, shift = 1.0, 0.0
    if solver == "svm":
        margins, rows = _held_out_margins(best, scaled, labels, folds)
        scale, shift = _probability_scale(margins, labels[rows])
    kernel = scale * best.coef_.T / scaler.scale_[:, None]
    bias = scale * best.intercept_ + shift - scaler.mean_ @ kernel
    return kernel.astype("float32"), bias.astype("float32")


def _folds(labels, groups):
    """Returns (fitted, held out) rows of folds; every class is fitted in each.

    A photo or group whose class would be missing without it is not held out.
    """
    if groups is None:
        folds, groups = _stratified_folds(labels), np.arange(len(labels))
    else:
        folds = group_folds(labels, groups, _FOLDS, seed=0)
    complete = []
    for fitted, held_out in folds:
        is_missing = ~np.isin(labels[held_out], labels[fitted])
        needed = np.isin(groups[held_out], groups[held_out][is_missing])
        fitted = np.sort(np.concatenate([fitted, held_out[needed]]))
        if not needed.all():
            complete.append((fitted, held_out[~needed]))
    return complete


def _stratified_folds(labels):
    from sklearn.model_selection import StratifiedKFold

    if np.bincount(labels).max() < _FOLDS:
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of smaller classes
        folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
        return list(folds.split(labels, labels))


def _negative_log_loss(model, features, labels):
    """Returns the score of a model, also where photos lack a class of it."""
    from sklearn.metrics import log_loss

    probabilities = model.predict_proba(features)
    return -log_loss(labels, probabilities, labels=model.classes_)


def _held_out_margins(model, features, labels, folds):
    """Returns margins by models that did not see the photos, and their rows."""
    from sklearn.base import clone

    margins = []
    for fitted, rows in folds:
        fold_model = clone(model).fit(features[fitted], labels[fitted])
        margins.append(fold_model.decision_function(features[rows]))
    rows = np.concatenate([rows for _, rows in folds])
    order = np.argsort(rows)
    return np.concatenate(margins)[order], rows[order]


def _probability_scale(margins, labels):
    """Returns (a, b): a margin m stands for the probability of a m + b.

    Fitted by maximum likelihood to margins of photos that were held out.
    """
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    if margins.ndim == 1:  # the softmax of (0, m) is the sigmoid of m
        margins = np.stack([np.zeros_like(margins), margins], axis=1)
    rows = np.arange(len(labels))
    binary = margins.shape[1] == 2

    def loss(numbers):
        shift = [0.0, numbers[1]] if binary else 0.0
        log_p = log_softmax(numbers[0] * margins + shift, axis=1)
        return -log_p[rows, labels].mean()

    start = [1.0, 0.0] if binary else [1.0]
    scale, *shift = minimize(loss, start, method="Nelder-Mead").x
    return scale, *(shift or [0.0])
