"""Folder of predictions in part files, each written whole.

    part-000000.csv    predictions of the first photos, or of those in the first
                       tar file, and so on
    bad-000000.csv     path and reason of those that can't be used, if any
    _PLAN.json         the photos, the model and the options they are of
    _SUCCESS.json      counts; there once all parts are

Any number of processes may fill it, each any of the parts.
"""

import csv
import io
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from thaw.atomic import json_bytes
from thaw.errors import UserError
from thaw.inference.csv_rows import csv_text
from thaw.inference.output_stores import open_store

FORMAT = 1
PLAN, _SUCCESS = "_PLAN.json", "_SUCCESS.json"
_BAD = "bad-"
_AT_A_TIME = 32  # files read


class OutputFolder:
    """The folder, opened for one plan.

    Attributes:
        path: Path or address of the folder.
        plan: What its predictions are of.
    """

    def __init__(
        self, path: str | Path, plan: dict, size: int, kind: str = "photos"
    ):
        """Opens the folder; the first who does writes down the plan.

        Args:
            path: Path of the folder, which is made where it is missing, or
                its address.
            plan: What the predictions are of, as JSON: model, options, and
                under `kind` the number of what is in parts.
            size: How many of them are in a part, unless the folder has another
                number.
            kind: `photos` or `tar_files`.

        Raises:
            UserError: If it holds anything else than parts of this plan.
        """
        self.path = path
        self._kind, self._size_name = kind, f"{kind}_per_part"
        self._store = open_store(path)
        plan = {"format": FORMAT, **plan, self._size_name: size}
        if PLAN not in (names := self._store.names()):
            self._check_empty(names)
            self._store.write(PLAN, json_bytes(plan), replace=False)
        self.plan = json.loads(self._store.read(PLAN))
        self._check_same(plan)

    @property
    def size(self) -> int:
        """Photos, or tar files, per part."""
        return self.plan[self._size_name]

    @property
    def num_parts(self) -> int:
        """Number of parts, once all are there."""
        return -(-self.plan[self._kind] // self.size)

    def missing_parts(self) -> list[int]:
        """Returns the numbers of the parts that aren't there, from 0."""
        names = self._store.names()
        return [x for x in range(self.num_parts) if _part(x) not in names]

    def write_part(
        self, number: int, rows: Sequence, bad: Sequence[tuple[str, str]]
    ) -> None:
        """Writes a part, whole or not at all.

        Args:
            number: Number of the part, from 0.
            rows: Its rows, titles first.
            bad: Path and reason of the photos between them that can't be used.

        Raises:
            OSError, UserError: If it can't be written.
        """
        if bad:  # first: the part is what counts
            bad = [("path", "reason"), *bad]
            self._store.write(f"{_BAD}{number:06d}.csv", _encoded(bad))
        self._store.write(_part(number), _encoded(rows))

    def finish(self) -> dict | None:
        """Writes the counts if all parts are there, and returns them.

        Whoever completes the set calls it last; of two that do so at the same
        time both write the same.
        """
        if self.missing_parts():
            return None
        num_bad = self._count_rows(_BAD)
        if self._kind == "photos":
            num_predicted = self.plan["photos"] - num_bad
        else:
            num_predicted = self._count_rows("part-")
        counts = {
            "parts": self.num_parts,
            "predicted": num_predicted,
            "cannot_be_used": num_bad,
        }
        self._store.write(_SUCCESS, json_bytes({**self.plan, **counts}))
        return counts

    def _count_rows(self, start):
        """Returns the number of rows in the files of a kind, without titles."""
        names = [x for x in self._store.names() if x.startswith(start)]
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            return sum(pool.map(self._count_rows_of, names))

    def _count_rows_of(self, name):
        text = self._store.read(name).decode("utf-8", "surrogateescape")
        return sum(1 for _ in csv.reader(io.StringIO(text, newline=""))) - 1

    def _check_empty(self, names):
        if names:
            raise UserError(
                f"`output`: {self.path} is not empty, and its files are no "
                f"predictions of predict.py ({min(names)}). Give a new folder."
            )

    def _check_same(self, plan):
        """Raises a `UserError` if the folder is of other predictions."""
        different = [
            name.replace("_sha256", "").replace("_", " ")
            for name, value in plan.items()
            if name != self._size_name and self.plan.get(name) != value
        ]
        if different:
            raise UserError(
                f"`output`: {self.path} holds other predictions "
                f"(different: {', '.join(different)}). Give a new folder."
            )


def _part(number):
    return f"part-{number:06d}.csv"


def _encoded(rows):
    # Names of files may hold bytes that aren't UTF-8.
    return csv_text(rows).encode("utf-8", "surrogateescape")
