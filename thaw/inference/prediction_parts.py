"""Predictions of many photos, in the part files of a folder."""

import hashlib

import numpy as np

from model_zoo.hashes import weights_sha256
from thaw.data import MAX_PIXELS
from thaw.data.archive_members import ArchiveError
from thaw.errors import list_some
from thaw.inference.csv_rows import csv_cells, csv_titles
from thaw.inference.output_folder import OutputFolder
from thaw.inference.photo_parts import Source, make_parts
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
        source: Source,
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
            source: Photos; of tar files, each is a part.
            output: Path or address of the folder.
            workers: How many share the work.
            top, unsure_below: As in `thaw.inference.rows.describe`.
            max_pixels: Photos with more pixels can't be used.

        Raises:
            UserError: If the folder holds anything else.
        """
        self._run = run
        self._names = source.shards or source.names
        self._in_shards = bool(source.shards)
        self._top, self._unsure_below = top, unsure_below
        names = hashlib.sha256()
        for name in self._names:
            names.update(name.encode("utf-8", "surrogateescape") + b"\0")
        kind = "tar_files" if self._in_shards else "photos"
        plan = {
            kind: len(self._names),
            "names_sha256": names.hexdigest(),
            "model_sha256": weights_sha256(run.model),
            "class_names": list(run.class_names),
            "top": top,
            "unsure_below": unsure_below,
            "max_pixels": max_pixels,
        }
        size = 1
        if not self._in_shards:
            size = choose_size(len(self._names), BATCH_SIZE, workers)
        self.folder = OutputFolder(output, plan, size, kind)
        self._max_pixels = max_pixels
        self._predictor: PartPredictor | None = None

    def plan(self) -> list[Unit]:
        """Returns the units whose parts are missing, of the same numbers."""
        missing = set(self.folder.missing_parts())
        units, _ = plan_units(np.ones(len(self._names), bool), self.folder.size)
        return [x for x in units if x.number in missing]

    def __call__(self, unit: Unit) -> list[tuple[str, str]]:
        """Writes a part; returns path and reason of photos that can't be used.

        Raises:
            OSError, UserError: If it can't be written.
        """
        if self._predictor is None:
            self._predictor = PartPredictor(
                self._run, top=self._top, max_pixels=self._max_pixels
            )
        rows = [csv_titles(self._run.class_names, self._top)]
        bad = []
        names = [self._names[row] for row in unit.rows]
        source = Source(shards=names) if self._in_shards else Source(names)
        try:
            for prediction in self._predictor.predict(make_parts([source])):
                if prediction.error is not None:
                    bad.append((prediction.path, prediction.error))
                    continue
                row = describe(prediction, self._top, self._unsure_below)
                rows.append(csv_cells(row))
        except ArchiveError as error:  # one of many, as a photo is
            reason = str(error).removeprefix(f"{names[0]} ")
            bad.append((names[0], reason))
        self.folder.write_part(unit.number, rows, bad)
        return bad

    def close(self) -> None:
        """Ends its processes."""
        if self._predictor is not None:
            self._predictor.warn_of_values()
            self._predictor.close()

    def describe(self, unit: Unit) -> str:
        """Returns the names of the first photos of a unit."""
        return list_some([self._names[row] for row in unit.rows])
