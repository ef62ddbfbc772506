"""Figures of an evaluation: curves, confusion matrix, feature map."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.decomposition import PCA
from sklearn.metrics import precision_recall_curve, roc_curve

import plots
from thaw.data.decode import spread
from thaw.evaluation import metrics
from thaw.evaluation.calibration import Calibrated
from thaw.evaluation.evaluation import Evaluation
from thaw.evaluation.predictions import Predictions

_POINTS = 20_000  # of a curve or map


def draw_figures(
    predictions: Predictions,
    evaluation: Evaluation,
    calibrated: Calibrated | None,
    class_counts: dict[str, list[int]],
) -> dict[str, Figure]:
    """Returns figures by name.

    Args:
        predictions: Predictions.
        evaluation: Their metrics.
        calibrated: Their calibration, or None.
        class_counts: Photos of each class by split.
    """
    names, labels = predictions.class_names, predictions.labels
    exact = predictions.probabilities.astype("float64")
    rocs: list = []
    precision_recalls: list = []
    for label, of_class in enumerate(evaluation.classes.values()):
        roc = precision_recall = None
        if of_class.roc_auc is not None:
            is_label, scores = labels == label, exact[:, label]
            false, true, _ = roc_curve(is_label, scores)
            roc = *_thinned(false, true), of_class.roc_auc
            precision, recall, _ = precision_recall_curve(is_label, scores)
            precision_recall = (
                *_thinned(recall, precision),
                of_class.average_precision,
            )
        rocs.append(roc)
        precision_recalls.append(precision_recall)
    bins = metrics.reliability(labels, exact)
    before = calibrated and metrics.reliability(
        labels, calibrated.before.probabilities
    )
    drawn: dict[str, Any] = {
        "confusion": plots.plot_confusion(evaluation.confusion_matrix, names),
        "roc": plots.plot_roc(rocs, names),
        "precision_recall": plots.plot_precision_recall(
            precision_recalls, names
        ),
        "reliability": plots.plot_reliability(
            before or bins, calibrated=before and bins
        ),
        "class_counts": plots.plot_class_counts(class_counts, names),
    }
    if min(predictions.penultimate.shape) >= 2:
        components = PCA(2, random_state=0)
        points = components.fit_transform(predictions.penultimate)
        points, labels, predicted = _thinned(
            points, labels, predictions.predicted
        )
        drawn["feature_map"] = plots.plot_feature_map(
            points,
            labels,
            predicted,
            names,
            explained=np.nan_to_num(components.explained_variance_ratio_),
        )
    return {name: ax.figure for name, ax in drawn.items()}


def _thinned(*arrays):
    """Returns the rows of arrays, some of them if a picture can't show all."""
    kept = spread(len(arrays[0]), _POINTS)
    return [array[kept] for array in arrays]
