"""Rows of predictions, as predict.py and serve.py give them."""

from typing import Any

from thaw.inference.predictions import Prediction

UNSURE = "unsure"


def describe(
    prediction: Prediction,
    top: int | None = None,
    unsure_below: float = 0.0,
) -> dict:
    """Returns a prediction as a row.

    Args:
        prediction: Prediction for one photo.
        top: Number of classes to list under `top`; None: each class has a key
            of its own.
        unsure_below: Probability under which `UNSURE` is predicted.

    Returns:
        Dict of `path`, `predicted`, `probability` (that of the likeliest
        class) and the rest; numbers as floats.
    """
    probability: Any = prediction.probability  # not of an error
    unsure = probability < unsure_below
    row = {
        "path": prediction.path,
        "predicted": UNSURE if unsure else prediction.label,
        "probability": probability,
    }
    if top is None:
        return row | prediction.probabilities
    listed = prediction.top[:top]
    return row | {"top": [{"class": x, "probability": p} for x, p in listed]}
