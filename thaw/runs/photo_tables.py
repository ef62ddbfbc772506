"""Tables of a run folder with a row for each photo.

Anyone may have made the folder: see `reader`.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from thaw.runs import format1, schema
from thaw.runs.checked_files import damage_said, read_table


class Predictions(NamedTuple):
    """Predictions of the best model on the validation photos.

    Attributes:
        paths: Path of each photo, (N,).
        labels: Name of its true class, (N,).
        predicted: Name of its predicted class, (N,).
        class_names: In the order of their indices, (C,).
        probabilities: Of each class, float64 (N, C).
    """

    paths: list[str]
    labels: list[str]
    predicted: list[str]
    class_names: list[str]
    probabilities: np.ndarray


def load_predictions(folder: str | Path) -> Predictions | None:
    """Returns predictions.csv, None where there is none.

    Raises:
        UserError: If it is damaged.
    """
    path = Path(folder) / "predictions.csv"
    if not path.exists():
        return None
    columns, *rows = read_table(path)
    with damage_said(path):
        paths, labels, predicted, *probabilities = zip(*rows, strict=True)
        class_names = columns[len(schema.PREDICTION_COLUMNS) :]
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
    _, *rows = read_table(path)
    with damage_said(path):
        return [photo for photo, _ in rows]


def load_label_issues(folder: str | Path) -> list[dict]:
    """Returns label_issues.csv, a dict per photo; none where there is none.

    Raises:
        UserError: If it is damaged.
    """
    path = Path(folder) / "label_issues.csv"
    if not path.exists():
        return []
    columns, *rows = read_table(path)
    columns = format1.rename_columns(path.name, columns)
    with damage_said(path):
        issues = [dict(zip(columns, row, strict=True)) for row in rows]
        *texts, number = schema.ISSUE_COLUMNS
        if not {*texts} <= {*columns}:
            raise ValueError("a column is missing")
        return [  # an older Thaw wrote no probability
            {name: x[name] for name in texts}
            | {number: float(x[number]) if x.get(number) else None}
            for x in issues
        ]
