"""What a run left behind, read without Keras, which takes seconds.

`thaw.runs.writer` writes these files, and reads the model. Anyone may have
made the folder: what is in it is data, of the types and sizes expected here.
"""

import contextlib
import csv
import hashlib
import json
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from thaw.errors import UserError, printable
from model_zoo.safe_loading.by_name import check_size
from thaw.runs.schema import (OF_EXPORTS, OF_HISTORY, OF_METRICS, OF_SUMMARY, is_like)

_COLUMNS_BEFORE = 3  # path, label, predicted
_READ_BYTES = 1 << 20  # at a time
_MOST_BYTES = 1 << 24  # of a file but those with a row for each photo
_MOST_TABLE_BYTES = 1 << 32  # of these


class Predictions(NamedTuple):
    """What the kept model makes of the validation photos.

    Attributes:
        paths: Path of each photo, (N,).
        labels: Name of the class that it is of, (N,).
        predicted: Name of the class that it is taken for, (N,).
        class_names: In the order of their indices, (C,).
        probabilities: Of each class, float (N, C).
    """

    paths: list[str]
    labels: list[str]
    predicted: list[str]
    class_names: list[str]
    probabilities: np.ndarray


def load_history(folder: str | Path) -> list[dict]:
    """Returns history.csv: a dict per epoch, numbers as float, None for none.

    Raises:
        UserError: If it is damaged.
    """
    path = Path(folder) / "history.csv"
    columns, *rows = _read_csv(path)
    with _damage_said(path):
        history = [
            {
                name: cell if name == "stage" else float(cell) if cell else None
                for name, cell in zip(columns, row, strict=True)
            }
            for row in rows
        ]
        for row in history:
            missing = [x for x in OF_HISTORY if row.get(x) is None]
            if missing:
                raise ValueError(f"an epoch has no {missing[0]}")
    return history


def load_summary(folder: str | Path, for_report: bool = False) -> dict | None:
    """Returns run.json; None: the run has not ended.

    Args:
        folder: The run folder.
        for_report: Whether all has to be there that the report shows.

    Raises:
        UserError: If it is damaged, or something in it of another type.
    """
    path = Path(folder) / "run.json"
    if not path.exists():
        return None
    summary = _read_json(path)
    with _damage_said(path):
        if not isinstance(summary, dict):
            raise ValueError("it holds no keys")
        for key, expected in OF_SUMMARY.items():
            if key not in summary and not for_report:
                continue
            if not is_like(summary.get(key), expected):
                raise ValueError(
                    f"its {key} is {ascii(summary.get(key))[:100]}"
                )
    return summary


def load_class_names(folder: str | Path) -> list[str]:
    """Returns class_names.json: the names in the order of their indices.

    Raises:
        UserError: If it is damaged, or the names are not such as folders have:
            what prints them believes so.
    """
    path = Path(folder) / "class_names.json"
    class_names = _read_json(path)
    with _damage_said(path):
        if not is_like(class_names, [str]):
            raise ValueError("expected a list of names")
        if len(set(class_names)) < max(len(class_names), 2):
            raise ValueError("expected two names or more, each of them once")
        for name in class_names:
            if printable(name) != name:
                raise ValueError(f"the name {name!a} holds control codes")
    return class_names


def load_metrics(folder: str | Path) -> dict:
    """Returns metrics.json.

    Raises:
        UserError: If it is damaged.
    """
    path = Path(folder) / "metrics.json"
    metrics = _read_json(path, _MOST_TABLE_BYTES)  # a cell for two classes
    with _damage_said(path):
        if not is_like(metrics, OF_METRICS):
            raise ValueError("it is not as evaluate.py writes it")
    return metrics


def load_exports(folder: str | Path) -> dict:
    """Returns export.json; empty where there is none.

    Raises:
        UserError: If it is damaged.
    """
    path = Path(folder) / "export.json"
    if not path.exists():
        return {}
    exports = _read_json(path)
    with _damage_said(path):
        if not is_like(exports, OF_EXPORTS):
            raise ValueError("it is not as export.py writes it")
    return exports


def load_copies(run_dir: str | Path) -> dict[str, dict]:
    """Returns the copies of model.keras in `export`, by name.

    Those of the model as it was before, e.g. before it was calibrated, are
    not among them.

    Raises:
        UserError: If export.json is damaged.
    """
    exports = load_exports(Path(run_dir) / "export")
    if not exports:
        return {}
    sha256 = file_sha256(Path(run_dir) / "model.keras")
    return exports["copies"] if exports["model_sha256"] == sha256 else {}


def load_flags(folder: str | Path) -> list[str]:
    """Returns the lines of flags.txt, e.g. `--epochs=5`.

    Raises:
        UserError: If there is no such file, or a huge one.
    """
    # Names of files are bytes; not every one is valid UTF-8.
    path = check_size(Path(folder) / "flags.txt", _MOST_BYTES)
    text = os.fsdecode(path.read_bytes())
    return text.split("\n")[:-1]


def load_predictions(folder: str | Path) -> Predictions | None:
    """Returns predictions.csv, None where there is none.

    Raises:
        UserError: If it is damaged.
    """
    path = Path(folder) / "predictions.csv"
    if not path.exists():
        return None
    columns, *rows = _read_csv(path)
    with _damage_said(path):
        paths, labels, predicted, *probabilities = zip(*rows, strict=True)
        class_names = columns[_COLUMNS_BEFORE:]
        if not {*labels, *predicted} <= set(class_names):
            raise ValueError("there are labels without a column")
        return Predictions(
            list(paths),
            list(labels),
            list(predicted),
            class_names,
            np.array(probabilities, "float64").T,
        )


def load_training_photos(folder: str | Path) -> list[str]:
    """Returns the paths in training_photos.csv; none where there is none.

    Raises:
        UserError: If it is damaged.
    """
    path = Path(folder) / "training_photos.csv"
    if not path.exists():
        return []
    _, *rows = _read_csv(path)
    with _damage_said(path):
        return [photo for photo, _ in rows]


def load_label_issues(folder: str | Path) -> list[dict]:
    """Returns label_issues.csv, a dict per photo; none where there is none.

    Raises:
        UserError: If it is damaged.
    """
    path = Path(folder) / "label_issues.csv"
    if not path.exists():
        return []
    columns, *rows = _read_csv(path)
    with _damage_said(path):
        issues = [dict(zip(columns, row, strict=True)) for row in rows]
        if not {"path", "side", "label", "suggested", "margin"} <= set(columns):
            raise ValueError("a column is missing")
        return [x | {"margin": float(x["margin"])} for x in issues]


def file_sha256(path: str | Path) -> str:
    """Returns the SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(_READ_BYTES):
            digest.update(part)
    return digest.hexdigest()


def _read_json(path, most=_MOST_BYTES):
    with _damage_said(path):
        return json.loads(check_size(path, most).read_text("utf-8"))


def _read_csv(path):
    """Returns the rows of a file that RunFolder wrote, the titles first."""
    check_size(path, _MOST_TABLE_BYTES)
    with (
        _damage_said(path),
        open(
            path, newline="", encoding="utf-8", errors="surrogateescape"
        ) as file,
    ):
        rows = list(csv.reader(file))
    if not rows:
        raise UserError(f"{path} is empty. Is the file whole?")
    return rows


@contextlib.contextmanager
def _damage_said(path):
    try:
        yield
    except UserError:
        raise
    except (ValueError, RecursionError, csv.Error) as error:
        raise UserError(
            f"Cannot read {path}: {error}. Is the file whole?"
        ) from error
