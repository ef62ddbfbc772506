"""Files of run folders of format 1 (Thaw 0.1), renamed to those of today."""

from collections.abc import Mapping, Sequence
from typing import Any

from thaw.errors import UserError

RENAMED = {
    "run.json": {"flags": "config", "found": "quality", "reopened": "verified"},
    "metrics.json": {
        "photos": "support",
        "mean_precision": "macro_precision",
        "mean_recall": "macro_recall",
        "mean_f1": "macro_f1",
        "mean_roc_auc": "macro_roc_auc",
        "mean_average_precision": "macro_average_precision",
    },
    "export.json": {"copies": "exports"},
    "label_issues.csv": {"side": "split"},
    "flags.txt": {
        "peak_at": "peak_fraction",
        "head_peak_at": "head_peak_fraction",
        "div": "div_factor",
    },
}
_NUMBERS = ("learning_rate", "head_learning_rate", "layer_decay")
_NO_OPTIONS = {  # flags of train.py that were in run.json, too
    "resume",
    "resume_anyway",
    "run_dir",
    "list_backbones",
    "list_layers",
}


def upgrade(file_name: str, content: dict) -> dict:
    """Returns the content of a JSON file of format 1 in that of today.

    Raises:
        ValueError: If it isn't what format 1 was like.
    """
    content = _rename(file_name, content)
    if file_name == "run.json" and isinstance(content.get("config"), dict):
        content["config"] = {
            name: _number(value) if name in _NUMBERS else value
            for name, value in rename_options(content["config"]).items()
            if name not in _NO_OPTIONS
        }
    if file_name == "metrics.json" and isinstance(content.get("classes"), dict):
        content["classes"] = {
            name: _rename(file_name, numbers)
            if isinstance(numbers, dict)
            else numbers
            for name, numbers in content["classes"].items()
        }
    return content


def rename_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the options of train.py by the names of today, in their order.

    Text stays text, and the names of today stay as they are. A learning rate
    A:B was A in the lowest of the three layer groups and B in the head, spaced
    geometrically: B becomes `learning_rate`, and `layer_decay` says the rest.

    Args:
        options: Values or texts by name, as in run.json or flags.txt.

    Raises:
        UserError: If a learning rate with a colon isn't A:B.
    """
    renamed = _rename("flags.txt", options)
    rate = renamed.get("learning_rate")
    if isinstance(rate, str) and ":" in rate:
        lowest, _, highest = rate.partition(":")
        try:
            decay = (float(lowest) / float(highest)) ** 0.5
        except (ValueError, ZeroDivisionError) as error:
            raise UserError(
                "`learning_rate` must be a number or `find`. Received: "
                f"{rate!r}"
            ) from error
        renamed |= {"learning_rate": highest, "layer_decay": str(decay)}
    return renamed


def rename_columns(file_name: str, columns: Sequence[str]) -> list[str]:
    """Returns the titles of a table by the names of today."""
    return [RENAMED[file_name].get(column, column) for column in columns]


def _rename(file_name, values):
    names = RENAMED[file_name]
    return {names.get(name, name): value for name, value in values.items()}


def _number(value):
    """Returns a number of run.json, where flags were text, or the word."""
    return value if value == "find" else float(str(value))
