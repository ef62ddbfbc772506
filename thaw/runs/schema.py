"""Schemas for validating the files of an untrusted run folder.

In these tables "" stands for any key, and a list for any number of what is in
it.
"""

from typing import Any

FORMAT = 2  # of run.json, metrics.json, export.json and checkpoints

HISTORY_COLUMNS = (
    "stage",
    "epoch",
    "seconds",
    "loss",
    "accuracy",
    "val_loss",
    "val_accuracy",
    "learning_rate",
)
STEP_COLUMNS = (
    "stage",
    "step",
    "loss",
    "rate_head",
    "rate_upper",
    "rate_lower",
)
PREDICTION_COLUMNS = ("path", "label", "predicted")  # then the classes
PHOTO_COLUMNS = ("path", "label")
BAD_COLUMNS = ("path", "reason")
ISSUE_COLUMNS = ("path", "split", "label", "suggested", "probability")

RUN_SCHEMA = {  # what the report takes from run.json
    "backbone": str,
    "best_epoch": int,
    "class_counts": {"train": [int], "validation": [int]},
    "config": {
        "class_weights": str,
        "cutmix": bool,
        "data": str,
        "dropout": int | float,
        "epochs": int | None,
        "head": str,
        "learning_rate": int | float | str,
        "mixup": bool,
        "randaugment": bool,
    },
    "device": str,
    "epochs": int,
    "freeze_proof": {"summary": str},
    "frozen_layers": [str],
    "frozen_parameters": int,
    "image_size": int,
    "photos": {"train": {"": int}, "validation": {"": int}},
    "pixel_ranges": {"": str},
    "quality": {"": int},
    "search": {"": int | str},
    "seconds": int | float,
    "seed": int,
    "trainable_layers": [str],
    "trainable_parameters": int,
    "unfreeze_from": str,
    "val_loss": int | float,
    "versions": {"": str},
    "yardstick": {"": int | float},
}
# Keys that runs of an older Thaw lack.
LATER = {"pixel_ranges", "search", "yardstick"}
EXPORT_SCHEMA = {
    "model_sha256": str,
    "exports": {
        "": {
            "path": str,
            "photos": int,
            "accuracy": int | float,
            "largest_difference": int | float,
        }
    },
}
METRICS_SCHEMA = {  # what the model card takes from metrics.json
    "support": int,
    "accuracy": int | float,
    "accuracy_interval": [int | float],
    "log_loss": int | float,
    "expected_calibration_error": int | float,
    "top_5_accuracy": int | float | None,
    "classes": {"": {"support": int, "recall": int | float | None}},
    "confusion_matrix": [[int]],
    "most_confused": [[str | int]],
}


def is_like(value: object, expected: Any) -> bool:
    """Returns whether a value of JSON is as a table expects it."""
    if isinstance(expected, list):
        return isinstance(value, list) and all(
            is_like(inner, expected[0]) for inner in value
        )
    if isinstance(expected, dict):
        if not isinstance(value, dict):
            return False
        if "" in expected:
            expected = dict.fromkeys(value, expected[""])
        return all(is_like(value.get(x), expected[x]) for x in expected)
    return isinstance(value, expected)
