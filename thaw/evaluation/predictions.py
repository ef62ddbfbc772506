"""Predictions on labelled photos, the input of every evaluation."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from thaw.data.groups import group_numbers
from thaw.data.photos import Photos
from thaw.evaluation.label_issues import (
    MOST,
    LabelIssues,
    find_label_issues,
)
from thaw.evaluation.stored_outputs import FeaturesOfSplits, StoredOutputs
from thaw.inference.outputs import Outputs
from thaw.inference.predictor import Predictor
from thaw.pixel_range import PixelRange
from thaw.progress import Progress, warn


class Predictions(NamedTuple):
    """Photos with labels, and the outputs of a model on them.

    Attributes:
        paths: (N,).
        labels: True label of each photo, int (N,).
        probabilities: float (N, C), rows that add up to 1.
        penultimate: Input of the last layer, float (N, P).
        logits: Input of the softmax, float (N, C).
        class_names: (C,).
        pixel_ranges: Of `Photos`.
        groups: Of `group_numbers`.
    """

    paths: Sequence[str]
    labels: np.ndarray
    probabilities: np.ndarray
    penultimate: np.ndarray
    logits: np.ndarray
    class_names: Sequence[str]
    pixel_ranges: Mapping[str, PixelRange] | None = None
    groups: np.ndarray | None = None

    @classmethod
    def of(cls, photos: Photos, outputs: Outputs) -> "Predictions":
        """Returns the predictions on labelled photos; both in one order."""
        return cls(
            photos.paths,
            photos.labels,
            outputs.probabilities,
            outputs.penultimate,
            outputs.logits,
            photos.class_names,
            photos.pixel_ranges,
            group_numbers(photos),
        )

    @property
    def predicted(self) -> np.ndarray:
        """Predicted label of each photo, int (N,)."""
        return self.probabilities.argmax(axis=1)

    @property
    def of_label(self) -> np.ndarray:
        """Probability of the true label of each photo, float (N,)."""
        return self.probabilities[np.arange(len(self.labels)), self.labels]


def predict_labelled(model, photos: Photos) -> tuple[Predictions, np.ndarray]:
    """Returns predictions on photos, and the input of the head for each.

    Args:
        model: Model of a run.
        photos: Inspected photos, labelled with the classes of the model; those
            that can't be read any more are skipped.

    Returns:
        `Predictions`, and features, float32 (N, D).
    """
    progress = Progress(len(photos))
    rows, parts = [], []
    predictor = Predictor(model, pixel_ranges=photos.pixel_ranges)
    for batch in predictor.predict(photos):
        for row, reason in batch.bad:
            warn(f"Skipped: {photos.paths[row]}: {reason}")
        rows.extend(batch.rows)
        parts.append(batch.outputs)
        progress(len(rows))
    progress.clear()
    outputs = Outputs(*map(np.concatenate, zip(*parts, strict=True)))
    return Predictions.of(photos.take(rows), outputs), outputs.features


def predictions_of_training(
    stage, views, settings
) -> tuple[Predictions, LabelIssues]:
    """Returns predictions on the validation photos, and suspected labels.

    Of the features that training has stored nothing is computed again.

    Args:
        stage: Last stage of the run, as in `StoredOutputs`, with
            `train_cache` and `val_cache`, the caches of each split; its model
            has the weights of the best epoch.
        views: `thaw.training.stage.Views` of the run.
        settings: Object with the `frozen_layers` and the `runtime` of the run.

    Returns:
        `Predictions`, and the suspected labels of both splits.
    """
    train, validation = views.train.photos, views.validation.photos
    layers = settings.frozen_layers
    validated = StoredOutputs(
        stage, stage.val_cache, views.validation, layers
    ).all()
    trained = StoredOutputs(
        stage, stage.train_cache, views.of(stage), layers, settings.runtime
    )
    features: Any
    if len(train) + len(validation) > MOST and trained.stores_all():
        features = FeaturesOfSplits(trained, validated.features)
    else:
        features = np.concatenate([trained.features(), validated.features])
    issues = find_label_issues(
        features,
        np.concatenate([train.labels, validation.labels]),
        [*train.paths, *validation.paths],
        ["train"] * len(train) + ["validation"] * len(validation),
        validation.class_names,
        group_numbers(train + validation),
    )
    return Predictions.of(validation, validated), issues
