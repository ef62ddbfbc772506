"""Predictions of many photos, in the part files of a folder."""

import hashlib
from collections.abc import Sequence

import numpy as np

from model_zoo.hashes import weights_sha256
from thaw.data import MAX_PIXELS
from thaw.errors import list_some
from thaw.inference.csv_rows import csv_cells, csv_titles
from thaw.inference.output_folder import OutputFolder
from thaw.inference.photo_paths import in_parts
from thaw.inference.predictions import PartPredictor
from thaw.inference.predictor import BATCH_SIZE
from thaw.inference.rows import describe
from thaw.work.units import Unit, choose_size, plan_units


class PredictionParts:
    """The part files of some photos: a plan of units, and who does one.

    Attributes:
        folder: The `OutputFolder`.
    """

    def __init__(
        self,
        run,
        paths: Sequence[str],
        output: str,
        *,
        workers: int = 1,
        top: int | None = None,
        unsure_below: float = 0.0,
        max_pixels: int = MAX_PIXELS,
    ):
        """Opens the folder.

        Args:
            run: As in `thaw.inference.predictions.predict`.
            paths: Paths of the photos.
            output: Path of the folder.
            workers: How many share the work.
            top, unsure_below: As in `thaw.inference.rows.describe`.
            max_pixels: Photos with more pixels can't be used.

        Raises:
            UserError: If the folder holds anything else.
        """
        self._run, self._paths = run, paths
        self._top, self._unsure_below = top, unsure_below
        names = hashlib.sha256()
        for path in paths:
            names.update(path.encode("utf-8", "surrogateescape") + b"\0")
        plan = {
            "photos": len(paths),
            "names_sha256": names.hexdigest(),
            "model_sha256": weights_sha256(run.model),
            "class_names": list(run.class_names),
            "top": top,
            "unsure_below": unsure_below,
            "max_pixels": max_pixels,
        }
        size = choose_size(len(paths), BATCH_SIZE, workers)
        self.folder = OutputFolder(output, plan, size)
        self._max_pixels = max_pixels
        self._predictor: PartPredictor | None = None

    def plan(self) -> list[Unit]:
        """Returns the units whose parts are missing, of the same numbers."""
        count, size = len(self._paths), self.folder.size
        units, _ = plan_units(np.ones(count, bool), size)
        return [x for x in units if not self.folder.has_part(x.number)]

    def __call__(self, unit: Unit) -> list[tuple[str, str]]:
        """Writes a part; returns path and reason of photos that can't be used.

        Raises:
            OSError: If it can't be written.
        """
        paths = [self._paths[row] for row in unit.rows]
        if self._predictor is None:
            self._predictor = PartPredictor(
                self._run, top=self._top, max_pixels=self._max_pixels
            )
        rows = [csv_titles(self._run.class_names, self._top)]
        bad = []
        for prediction in self._predictor.predict(in_parts([paths])):
            if prediction.error is not None:
                bad.append((prediction.path, prediction.error))
                continue
            row = describe(prediction, self._top, self._unsure_below)
            rows.append(csv_cells(row))
        self.folder.write_part(unit.number, rows, bad)
        return bad

    def close(self) -> None:
        """Ends its processes."""
        if self._predictor is not None:
            self._predictor.warn_of_values()
            self._predictor.close()

    def describe(self, unit: Unit) -> str:
        """Returns the names of the first photos of a unit."""
        return list_some([self._paths[row] for row in unit.rows])
