"""Heads that are solved to their optimum instead of trained by steps.

On features that never change, the best last layer is a convex problem: a
linear classifier on a pretrained network's features (Donahue et al. 2014,
arXiv:1310.1531; Razavian et al. 2014, arXiv:1403.6382). scikit-learn solves
it; the result is written into the model's Dense layer, so that what is saved
is one plain Keras model.
"""

import numpy as np

from thaw.errors import UserError

# Strength of the data against the L2 penalty; the one with the lowest loss
# (linear) or error (svm) on held-out folds is taken.
_STRENGTHS = {"linear": (1e-3, 1e-2, 1e-1, 1.0), "svm": (1e-4, 1e-3, 1e-2)}
_FOLDS = 3


def solve_head(
    features: np.ndarray, labels: np.ndarray, solver: str
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the kernel and the bias of the best Dense layer.

    Args:
        features: float32 (N, D).
        labels: int (N,).
        solver: `linear` (logistic regression) or `svm` (linear support vector
            machine, Cortes & Vapnik 1995, its margins scaled to probabilities
            on held-out folds, Platt 1999).

    Returns:
        float32 (D, 1) and (1,) for two classes, for a sigmoid; (D, K) and
        (K,) for K, for a softmax.

    Raises:
        UserError: If a class has too few photos.
    """
    from sklearn import linear_model, model_selection, svm
    from sklearn.preprocessing import StandardScaler

    if np.bincount(labels).min() < _FOLDS:
        raise UserError(
            f"--head={solver} takes at least {_FOLDS} photos of each class to "
            "train on, to find how much to trust them."
        )
    scaler = StandardScaler()
    scaled = scaler.fit_transform(features.astype("float64"))
    if solver == "linear":
        model = linear_model.LogisticRegression(max_iter=1000)
    else:
        model = svm.LinearSVC()
    search = model_selection.GridSearchCV(
        model,
        {"C": _STRENGTHS[solver]},
        cv=_FOLDS,
        scoring="neg_log_loss" if solver == "linear" else "accuracy",
    ).fit(scaled, labels)
    scale, shift = 1.0, 0.0
    if solver == "svm":
        margins = model_selection.cross_val_predict(
            search.best_estimator_,
            scaled,
            labels,
            cv=_FOLDS,
            method="decision_function",
        )
        scale, shift = _probability_scale(margins, labels)
    best = search.best_estimator_
    kernel = scale * best.coef_.T / scaler.scale_[:, None]
    bias = scale * best.intercept_ + shift - scaler.mean_ @ kernel
    return kernel.astype("float32"), bias.astype("float32")


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
