"""Inspection of photos by the workers of an engine."""

import contextlib
import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from thaw.data import inspection_cache
from thaw.data.inspect import recall
from thaw.data.inspect_worker import Inspection
from thaw.data.inspector import Inspector
from thaw.data.photos import Photos
from thaw.errors import UserError
from thaw.progress import heavy_imports, say
from thaw.work.options import EngineOptions
from thaw.work.progress import UnitProgress
from thaw.work.units import Unit, choose_size, count_photos, plan_units

_AT_LEAST = 100  # photos in a unit
_NAMED = 3  # photos of a unit in a message


@dataclasses.dataclass(frozen=True)
class InspectionJob:
    """The job that inspects photos in another process.

    Each is read once: decoded, hashed and looked at.

    Attributes:
        paths: Absolute paths of the photos.
        max_pixels: Photos with more pixels cannot be used.
    """

    paths: Sequence[str]
    max_pixels: int
    packages = ("pillow",)
    same_device = False

    def start(self) -> Callable[[Unit], list[Inspection]]:
        """Returns the function that inspects the photos of a unit.

        Raises:
            UserError: If this process doesn't see the photos.
        """
        if not os.path.exists(self.paths[0]):
            raise UserError(
                f"a worker there doesn't see the photo {self.paths[0]}. All "
                "machines need the photos under the same path."
            )
        # Of this worker; without, several on one machine take all of it each.
        processors = int(os.environ.get("TF_NUM_INTRAOP_THREADS", 0))
        inspector = Inspector(self.max_pixels, processors or None)

        def inspect(unit):
            return list(
                inspector.inspect_all([self.paths[row] for row in unit.rows])
            )

        return inspect


def inspect_by_engine(
    photos: Photos, memo: str | Path, max_pixels: int, options: EngineOptions
) -> None:
    """Inspects by Ray what isn't known yet, if that is asked for.

    Args:
        photos: Photos.
        memo: SQLite file of the inspections, which gets them.
        max_pixels: Photos with more pixels cannot be used.
        options: Of the engine; of `local` nothing is done here.

    Raises:
        UserError: If there is no cluster, or its workers can't do it.
        MachineError: If a unit can't be done.
    """
    if options.engine == "local":
        return
    photos = recall(photos, memo, max_pixels)
    missing = np.array([x is None for x in photos.inspections])
    size = choose_size(missing.sum(), _AT_LEAST, options.planned_workers)
    units, _ = plan_units(missing, size)
    if not units:
        say("Ray: all photos are known from before.")
        return
    say(f"Ray: checking {missing.sum():,} photos.")
    with heavy_imports():
        from thaw.work import ray_engine  # and TensorFlow

    def describe(unit):
        return ", ".join(photos.paths[row] for row in unit.rows[:_NAMED])

    progress = UnitProgress(count_photos(units))
    job = InspectionJob([*map(os.path.abspath, photos.paths)], max_pixels)
    try:
        answers = ray_engine.run(job, units, options, describe)
        with contextlib.closing(answers):
            for unit, inspections in answers:
                _keep(memo, photos.take(unit.rows), inspections)
                progress.add(len(unit.rows))
    finally:
        progress.clear()


def _keep(memo, photos, inspections):
    # Without a hash, the reason may be gone, or be that worker's alone.
    read = [row for row, one in enumerate(inspections) if one.digest]
    values = [inspections[row] for row in read]
    inspection_cache.save(memo, photos.take(read), values)
