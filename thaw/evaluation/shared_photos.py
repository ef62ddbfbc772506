"""Scores of two models on the photos that both were validated on."""

import os

import numpy as np

from thaw.errors import UserError

_SMALLEST = np.finfo("float64").eps  # as in scikit-learn's log_loss


def shared_scores(first, second) -> tuple[np.ndarray, np.ndarray]:
    """Returns the accuracy and log loss of each model, photo by photo.

    A photo is shared if both have its path, with the same label. Neither model
    has trained on one.

    Args:
        first: Predictions of one model: an object with the lists `paths`,
            `labels`, `predicted` and `class_names`, and with `probabilities`,
            float (N, C).
        second: The same of the other one.

    Returns:
        1.0 where the predicted label is true, float (2, S), and the log loss,
        float (2, S); S may be 0.

    Raises:
        UserError: If the classes differ.
    """
    if set(first.class_names) != set(second.class_names):
        raise UserError("its classes differ")
    rows = [_rows_by_photo(x) for x in (first, second)]
    shared = [photo for photo in rows[0] if photo in rows[1]]
    correct, losses = np.empty((2, 2, len(shared)))
    for model, predictions in enumerate((first, second)):
        columns = {x: i for i, x in enumerate(predictions.class_names)}
        for place, photo in enumerate(shared):
            row, label = rows[model][photo], photo[1]
            correct[model, place] = predictions.predicted[row] == label
            losses[model, place] = predictions.probabilities[
                row, columns[label]
            ]
    return correct, -np.log(np.clip(losses, _SMALLEST, 1))


def _rows_by_photo(predictions):
    pairs = zip(predictions.paths, predictions.labels, strict=True)
    return {
        (os.path.normpath(path), label): row
        for row, (path, label) in enumerate(pairs)
    }
