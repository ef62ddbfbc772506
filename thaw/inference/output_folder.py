"""Folder of predictions in part files, each written whole.

    part-000000.csv    predictions of the first photos, and so on
    bad-000000.csv     path and reason of those that can't be used, if any
    _PLAN.json         the photos, the model and the options they are of
    _SUCCESS.json      counts; there once all parts are

Any number of processes may fill it, each any of the parts.
"""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import filelock

from thaw import atomic
from thaw.errors import UserError
from thaw.inference.csv_rows import csv_text

FORMAT = 1
PLAN, _SUCCESS, _LOCK = "_PLAN.json", "_SUCCESS.json", ".lock"


class OutputFolder:
    """The folder, opened for one plan.

    Attributes:
        path: Path of the folder.
        plan: What its predictions are of.
    """

    def __init__(self, path: str | Path, plan: dict, size: int):
        """Opens the folder; the first who does writes down the plan.

        Args:
            path: Path of the folder, which is made where it is missing.
            plan: What the predictions are of, as JSON: photos, their number
                under `photos`, model, options.
            size: Photos per part, unless the folder has another number.

        Raises:
            UserError: If it holds anything else than parts of this plan.
        """
        self.path = Path(path)
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"`output`: {path} is a file. Give a folder.")
        self.path.mkdir(parents=True, exist_ok=True)
        plan = {"format": FORMAT, **plan, "photos_per_part": size}
        with filelock.FileLock(self.path / _LOCK):
            if not (self.path / PLAN).exists():
                self._check_empty()
                atomic.write_json(self.path / PLAN, plan)
        self.plan = json.loads((self.path / PLAN).read_text("utf-8"))
        self._check_same(plan)

    @property
    def size(self) -> int:
        """Photos per part."""
        return self.plan["photos_per_part"]

    @property
    def num_parts(self) -> int:
        """Number of parts, once all are there."""
        return -(-self.plan["photos"] // self.size)

    def has_part(self, number: int) -> bool:
        """Returns whether a part is there."""
        return self._part(number).exists()

    def write_part(
        self, number: int, rows: Sequence, bad: Sequence[tuple[str, str]]
    ) -> None:
        """Writes a part, whole or not at all.

        Args:
            number: Number of the part, from 0.
            rows: Its rows, titles first.
            bad: Path and reason of the photos between them that can't be used.

        Raises:
            OSError: If it can't be written.
        """
        if bad:  # first: the part is what counts
            text = csv_text([("path", "reason"), *bad])
            atomic.write_text(self._bad(number), text)
        atomic.write_text(self._part(number), csv_text(rows))

    def finish(self) -> dict | None:
        """Writes the counts if all parts are there, and returns them.

        Whoever completes the set calls it last; of two that do so at the same
        time both write the same.
        """
        numbers = range(self.num_parts)
        if not all(map(self.has_part, numbers)):
            return None
        num_bad = sum(map(self._count_bad, numbers))
        counts = {
            "parts": self.num_parts,
            "predicted": self.plan["photos"] - num_bad,
            "cannot_be_used": num_bad,
        }
        atomic.write_json(self.path / _SUCCESS, {**self.plan, **counts})
        return counts

    def _part(self, number):
        return self.path / f"part-{number:06d}.csv"

    def _bad(self, number):
        return self.path / f"bad-{number:06d}.csv"

    def _count_bad(self, number):
        if not self._bad(number).exists():
            return 0
        with atomic.open_text(self._bad(number)) as file:
            return sum(1 for _ in csv.reader(file)) - 1

    def _check_empty(self):
        others = [x.name for x in self.path.iterdir() if x.name != _LOCK]
        if others:
            raise UserError(
                f"`output`: {self.path} is not empty, and its files are no "
                f"predictions of predict.py ({min(others)}). Give a new folder."
            )

    def _check_same(self, plan):
        """Raises a `UserError` if the folder is of other predictions."""
        different = [
            name.replace("_sha256", "").replace("_", " ")
            for name, value in plan.items()
            if name != "photos_per_part" and self.plan.get(name) != value
        ]
        if different:
            raise UserError(
                f"`output`: {self.path} holds other predictions "
                f"(different: {', '.join(different)}). Give a new folder."
            )
