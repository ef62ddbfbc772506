"""Predictions of many photos as a job: all that a worker elsewhere needs."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from thaw.device import prepare_device
from thaw.errors import UserError
from thaw.inference.output_folder import PLAN
from thaw.inference.prediction_parts import PredictionParts


@dataclasses.dataclass(frozen=True)
class PredictionJob:
    """The job that writes part files in another process.

    Attributes:
        run: Object as in `thaw.inference.predictions.predict`, to be pickled.
        paths: Paths of the photos.
        output: Path of the folder, which has a plan.
        options: Other arguments of `PredictionParts`.
        working_dir: Path of the folder that paths start from.
        photo: Path of a photo that is a file here, or None.
    """

    run: Any
    paths: Sequence[str]
    output: str
    options: dict
    working_dir: str
    photo: str | None
    packages = ()
    same_device = False  # this process may wait where there is no GPU

    @classmethod
    def of(
        cls, run: Any, paths: Sequence[str], output: str, options: dict
    ) -> "PredictionJob":
        """Returns the job of some photos.

        Args:
            run, paths, output, options: As above.
        """
        first = paths[0] if os.path.exists(paths[0]) else None
        return cls(run, paths, output, options, os.getcwd(), first)

    def start(self) -> PredictionParts:
        """Returns the `PredictionParts` of this process.

        Raises:
            UserError: If it doesn't see the folder or the photos.
        """
        base = Path(self.working_dir)
        if not (base / self.output / PLAN).is_file():
            raise UserError(
                f"a worker there doesn't see {base / self.output}. Give a "
                "folder that all machines share: `output`"
            )
        if self.photo is not None and not (base / self.photo).exists():
            raise UserError(
                f"a worker there doesn't see the photo {base / self.photo}. "
                "All machines need the photos under the same path."
            )
        if base.is_dir():  # else all paths are absolute
            os.chdir(base)
        prepare_device()
        return PredictionParts(
            self.run, self.paths, self.output, **self.options
        )
