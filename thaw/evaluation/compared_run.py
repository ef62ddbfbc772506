"""A run in a comparison, and its rank."""

import math
from pathlib import Path
from typing import NamedTuple

from thaw.errors import UserError
from thaw.runs import photo_tables, reader
from thaw.runs.photo_tables import Predictions


class ComparedRun(NamedTuple):
    """A run in a comparison.

    Attributes:
        name: Its name in the comparison.
        history: Rows of its epochs.
        best: The row of the kept epoch, None where no loss is finite.
        seconds: Duration.
        finished: Whether it has ended.
        flags: Lines of its flags.txt.
        predictions: `Predictions` on its validation photos, or None.
    """

    name: str
    history: list[dict]
    best: dict | None
    seconds: float
    finished: bool
    flags: list[str]
    predictions: Predictions | None

    @property
    def top_5_accuracy(self) -> float | None:
        """Top-5 accuracy of the predictions; None with few classes."""
        if self.predictions is None:
            return None
        # scikit-learn takes a second to import.
        from thaw.evaluation.metrics import top_5_accuracy

        names = self.predictions.class_names
        numbers = {name: number for number, name in enumerate(names)}
        labels = [numbers[label] for label in self.predictions.labels]
        return top_5_accuracy(labels, self.predictions.probabilities)

    def rank(self) -> tuple:
        """Returns a key that sorts the best run first."""
        if self.best is None:
            return 1, 0, 0
        return 0, -self.best["val_accuracy"], self.best["val_loss"]


def load_compared_run(name: str, path: Path) -> ComparedRun:
    """Returns the run in a run folder, under a name.

    Raises:
        UserError: If it is damaged, or has no epoch.
    """
    history = reader.load_history(path)
    if not history:
        raise UserError(f"{path / 'history.csv'} has no epoch.")
    summary = reader.load_summary(path)
    rows = [row for row in history if math.isfinite(row["val_loss"])]
    return ComparedRun(
        name,
        history,
        min(rows, key=lambda row: row["val_loss"], default=None),
        summary["seconds"] if summary else sum(x["seconds"] for x in history),
        summary is not None,
        reader.load_flags(path),
        photo_tables.load_predictions(path),
    )
