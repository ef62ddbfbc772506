"""Evaluation: the result of comparing predictions with labels."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix

from thaw.evaluation import metrics
from thaw.evaluation.calibration import Calibrated
from thaw.evaluation.metrics import ClassMetrics
from thaw.evaluation.predictions import Predictions

VALIDATION_PHOTOS = "validation photos"
_TOP_LOSSES = 50  # in metrics.json
_SMALLEST = np.finfo("float64").eps  # as in scikit-learn's log_loss


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """Metrics of the predictions of a model.

    Attributes:
        support: Number of photos.
        accuracy: Share of photos whose predicted label is the true one.
        accuracy_interval: Its 95% interval, [low, high].
        balanced_accuracy: Mean recall of the classes that have photos.
        macro_precision, macro_recall, macro_f1, macro_roc_auc,
            macro_average_precision: Means over the classes, None where no
            class has one.
        log_loss, brier_score: 0 is perfect.
        expected_calibration_error: Mean gap between confidence and accuracy.
        classes: `ClassMetrics` of each class, by name.
        confusion_matrix: Photos by true and predicted label, int (C, C).
        most_confused: (true label, predicted label, photos), the most often
            confused first.
        top_losses: `path`, `label`, `predicted` and `loss` of the photos with
            the highest loss.
        calibration: Temperature, and error and log loss before it and at
            temperatures fitted to other photos; None: not calibrated.
        top_5_accuracy: Share of photos with their label among the five most
            probable; None: there are at most ten classes.
        photos: A noun for the photos, e.g. `validation photos`.
        path: Path of report.html, or None.
    """

    support: int
    accuracy: float
    accuracy_interval: list[float]
    balanced_accuracy: float | None
    macro_precision: float | None
    macro_recall: float | None
    macro_f1: float | None
    macro_roc_auc: float | None
    macro_average_precision: float | None
    log_loss: float
    brier_score: float | None
    expected_calibration_error: float
    classes: dict[str, ClassMetrics]
    confusion_matrix: np.ndarray
    most_confused: list[tuple[str, str, int]]
    top_losses: list[dict]
    calibration: dict[str, float] | None = None
    top_5_accuracy: float | None = None
    photos: str = VALIDATION_PHOTOS
    path: Path | None = None

    @property
    def verdict(self) -> str:
        """Accuracy, its interval and the most common error, in a sentence."""
        low, high = self.accuracy_interval
        top_5 = ""
        if self.top_5_accuracy is not None:
            top_5 = f" Top-5 accuracy {self.top_5_accuracy:.1%}."
        text = (
            f"Accuracy {self.accuracy:.1%} on {self.support:,} {self.photos} "
            f"(95% CI {low * 100:.1f}-{high:.1%}).{top_5}"
        )
        if not self.most_confused:
            return text
        label, predicted, count = self.most_confused[0]
        return (
            f"{text} Most common error: {label} predicted as {predicted} "
            f"({count:,} of {self.classes[label].support:,})."
        )

    def __str__(self):
        return self.verdict

    __repr__ = __str__

    @property
    def lowest_recall(self) -> tuple[str, ClassMetrics]:
        """Name and metrics of the class that is recognized least often."""
        recalls: dict[str, Any] = {
            name: x.recall for name, x in self.classes.items() if x.support
        }
        lowest = min(recalls, key=lambda name: recalls[name])
        return lowest, self.classes[lowest]

    def to_dict(self) -> dict:
        """Returns the content of metrics.json, for `RunFolder.save_metrics`."""
        values = {name: getattr(self, name) for name in _METRICS}
        values["classes"] = {
            name: of_class._asdict() for name, of_class in self.classes.items()
        }
        values["confusion_matrix"] = self.confusion_matrix.tolist()
        for name in ("calibration", "top_5_accuracy"):
            if values[name] is None:
                del values[name]
        return values

    @classmethod
    def from_dict(cls, values: dict) -> "Evaluation":
        """Returns the evaluation that a metrics.json holds.

        Args:
            values: Its content, valid by `thaw.runs.schema.METRICS_SCHEMA`;
                what that does not ask for may be missing.
        """
        found: dict[str, Any] = {name: values.get(name) for name in _METRICS}
        found["classes"] = {
            name: ClassMetrics(*map(of_class.get, ClassMetrics._fields))
            for name, of_class in values["classes"].items()
        }
        found["confusion_matrix"] = np.array(values["confusion_matrix"])
        return cls(**found)


_METRICS = [
    field.name
    for field in dataclasses.fields(Evaluation)
    if field.name not in ("photos", "path")
]


def evaluate(
    predictions: Predictions,
    *,
    min_count: int = 1,
    calibrated: Calibrated | None = None,
    photos: str = VALIDATION_PHOTOS,
) -> Evaluation:
    """Returns all metrics of predictions.

    Args:
        predictions: Those of at least one photo.
        min_count: Photos from which on a pair of classes counts as confused.
        calibrated: Their calibration, or None.
        photos: As in `Evaluation`.
    """
    labels, names = predictions.labels, predictions.class_names
    exact = np.asarray(predictions.probabilities, "float64")
    counts = confusion_matrix(
        labels, predictions.predicted, labels=range(len(names))
    )
    classes = metrics.class_metrics(labels, exact)
    means: dict[str, Any] = {
        f"macro_{name}": metrics.macro(getattr(x, name) for x in classes)
        for name in ClassMetrics._fields[1:]
    }
    correct = int(np.trace(counts))
    confused = metrics.most_confused(counts, names)
    return Evaluation(
        support=len(labels),
        accuracy=correct / len(labels),
        accuracy_interval=metrics.wilson_interval(correct, len(labels)),
        balanced_accuracy=means["macro_recall"],
        **means,
        log_loss=metrics.log_loss(labels, exact),
        brier_score=metrics.brier_score(labels, exact),
        expected_calibration_error=metrics.calibration_error(labels, exact),
        classes=dict(zip(names, classes, strict=True)),
        confusion_matrix=counts,
        most_confused=[pair for pair in confused if pair[2] >= min_count],
        top_losses=_top_losses(predictions),
        calibration=calibrated and _calibration(labels, calibrated),
        top_5_accuracy=metrics.top_5_accuracy(labels, exact),
        photos=photos,
    )


def _top_losses(predictions):
    names, of_label = predictions.class_names, predictions.of_label
    return [
        {
            "path": predictions.paths[row],
            "label": names[predictions.labels[row]],
            "predicted": names[predictions.predicted[row]],
            "loss": float(-np.log(max(of_label[row], _SMALLEST))),
        }
        for row in np.argsort(of_label, kind="stable")[:_TOP_LOSSES]
    ]


def _calibration(labels, calibrated):
    values = {"temperature": calibrated.temperature}
    for when, probabilities in (
        ("before", calibrated.before.probabilities),
        ("after_unseen", calibrated.unseen),
    ):
        for metric in (metrics.calibration_error, metrics.log_loss):
            name = f"{metric.__name__}_{when}"
            values[name] = metric(labels, probabilities)
    return values
