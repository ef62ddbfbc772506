"""What a run left behind, read without Keras, which takes seconds.

`training.run_folder` writes these files, and reads the model.
"""

import contextlib
import csv
import hashlib
import json
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from errors import UserError

_COLUMNS_BEFORE = 3  # path, label, predicted
_READ_BYTES = 1 << 20  # at a time


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
        return [
            {
                name: cell if name == "stage" else float(cell) if cell else None
                for name, cell in zip(columns, row, strict=True)
            }
            for row in rows
        ]


def load_summary(folder: str | Path) -> dict | None:
    """Returns run.json; None: the run has not ended.

    Raises:
        UserError: If it is damaged.
    """
    path = Path(folder) / "run.json"
    if not path.exists():
        return None
    with _damage_said(path):
        return json.loads(path.read_text("utf-8"))


def load_metrics(folder: str | Path) -> dict:
    """Returns metrics.json.

    Raises:
        UserError: If it is damaged.
    """
    path = Path(folder) / "metrics.json"
    with _damage_said(path):
        return json.loads(path.read_text("utf-8"))


def load_exports(folder: str | Path) -> dict:
    """Returns export.json; empty where there is none.

    Raises:
        UserError: If it is damaged.
    """
    path = Path(folder) / "export.json"
    if not path.exists():
        return {}
    with _damage_said(path):
        return json.loads(path.read_text("utf-8"))


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
    """Returns the lines of flags.txt, e.g. `--epochs=5`."""
    # Names of files are bytes; not every one is valid UTF-8.
    text = os.fsdecode((Path(folder) / "flags.txt").read_bytes())
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
        return [x | {"margin": float(x["margin"])} for x in issues]


def file_sha256(path: str | Path) -> str:
    """Returns the SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(_READ_BYTES):
            digest.update(part)
    return digest.hexdigest()


def _read_csv(path):
    """Returns the rows of a file that RunFolder wrote, the titles first."""
    with open(
        path, newline="", encoding="utf-8", errors="surrogateescape"
    ) as file:
        rows = list(csv.reader(file))
    if not rows:
        raise UserError(f"{path} is empty. Is the file whole?")
    return rows


@contextlib.contextmanager
def _damage_said(path):
    try:
        yield
    except ValueError as error:
        raise UserError(
            f"Cannot read {path}: {error}. Is the file whole?"
        ) from error
