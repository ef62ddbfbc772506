"""Predictions of many photos as a job: all that a worker elsewhere needs."""

import dataclasses
import os
from pathlib import Path
from typing import Any

from thaw.data.remote import is_remote
from thaw.device import prepare_device
from thaw.errors import UserError
from thaw.inference.output_folder import PLAN
from thaw.inference.output_stores import open_store
from thaw.inference.photo_parts import Source
from thaw.inference.prediction_parts import PredictionParts


@dataclasses.dataclass(frozen=True)
class PredictionJob:
    """The job that writes part files in another process.

    Attributes:
        run: Object as in `thaw.inference.predictions.predict`, to be pickled.
        source: Photos, or the tar files that hold them.
        output: Path or address of the folder, which has a plan.
        options: Other arguments of `PredictionParts`.
        working_dir: Path of the folder that paths start from.
        file: Path of one of their files that is on this machine, or None.
    """

    run: Any
    source: Source
    output: str
    options: dict
    working_dir: str
    file: str | None
    packages = ()
    same_device = False  # this process may wait where there is no GPU

    @classmethod
    def of(
        cls, run: Any, source: Source, output: str, options: dict
    ) -> "PredictionJob":
        """Returns the job of some photos.

        Args:
            run, source, output, options: As above.
        """
        first = (source.shards or source.names)[0]
        file = first if os.path.exists(first) else None
        return cls(run, source, output, options, os.getcwd(), file)

    def start(self) -> PredictionParts:
        """Returns the `PredictionParts` of this process.

        Raises:
            UserError: If it doesn't see the folder or the photos.
        """
        base = Path(self.working_dir)
        output = self.output
        if not is_remote(output):
            output = str(base / output)
        if PLAN not in open_store(output).names():
            raise UserError(
                f"a worker there doesn't see {output}. Give a folder that all "
                "machines share: `output`"
            )
        if self.file is not None and not (base / self.file).exists():
            raise UserError(
                f"a worker there doesn't see {base / self.file}. All machines "
                "need the photos under the same path."
            )
        if base.is_dir():  # else all paths are absolute
            os.chdir(base)
        prepare_device()
        return PredictionParts(self.run, self.source, output, **self.options)
