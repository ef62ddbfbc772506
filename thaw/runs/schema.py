"""What the files of a run folder hold, for those who read one of a stranger's.

In these tables "" stands for any key, and a list for any number of what is in
it.
"""

OF_HISTORY = ("stage", "epoch", "seconds") + (
    "loss",
    "accuracy",
    "val_loss",
    "val_accuracy",
)
OF_SUMMARY = {  # what the report takes from run.json; "" stands for any key
    "backbone": str,
    "best_epoch": int,
    "class_counts": {"train": [int], "validation": [int]},
    "device": str,
    "epochs": int,
    "flags": {
        "class_weights": str,
        "cutmix": bool,
        "data": str,
        "dropout": int | float,
        "epochs": int | None,
        "head": str,
        "learning_rate": str,
        "mixup": bool,
        "randaugment": bool,
    },
    "found": {"": int},
    "freeze_proof": {"summary": str},
    "frozen_layers": [str],
    "frozen_parameters": int,
    "image_size": int,
    "photos": {"train": {"": int}, "validation": {"": int}},
    "seconds": int | float,
    "seed": int,
    "trainable_layers": [str],
    "trainable_parameters": int,
    "unfreeze_from": str,
    "versions": {"": str},
}
OF_EXPORTS = {
    "model_sha256": str,
    "copies": {
        "": {
            "path": str,
            "photos": int,
            "accuracy": int | float,
            "largest_difference": int | float,
        }
    },
}
OF_METRICS = {  # what the model card takes from metrics.json
    "photos": int,
    "accuracy": int | float,
    "accuracy_interval": [int | float],
    "log_loss": int | float,
    "expected_calibration_error": int | float,
    "classes": {"": {"photos": int, "recall": int | float | None}},
    "confusion_matrix": [[int]],
    "most_confused": [[str | int]],
}


def is_like(value: object, expected: object) -> bool:
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
