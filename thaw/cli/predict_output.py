"""Part files of predict.py, and what it says of them."""

import contextlib
from collections.abc import Sequence

from thaw.errors import shown
from thaw.inference.prediction_job import PredictionJob
from thaw.inference.prediction_parts import PredictionParts
from thaw.progress import say, warn
from thaw.runs.shipped import ShippedRun
from thaw.work import ray_engine
from thaw.work.options import EngineOptions
from thaw.work.part import Part
from thaw.work.progress import UnitProgress
from thaw.work.units import count_photos


def write_parts(
    run, paths: Sequence[str], config, engine: EngineOptions
) -> int:
    """Writes the part files that are missing; returns the exit status.

    Args:
        run: `thaw.Run`.
        paths: Paths of the photos.
        config: `PredictConfig` with an `output`.
        engine: Who predicts.

    Raises:
        UserError: If the folder holds anything else.
        MachineError: If a part can't be written.
    """
    part = Part.parse(config.part)
    options = {
        "top": config.top,
        "unsure_below": config.unsure_below or 0.0,
        "max_pixels": config.max_pixels,
    }
    workers = part.total
    if engine.engine == "ray":
        workers = engine.planned_workers
    parts = PredictionParts(
        run, paths, config.output, workers=workers, **options
    )
    units = part.take(parts.plan())
    if engine.engine == "ray":
        job = PredictionJob.of(
            ShippedRun.of(run.path), paths, config.output, options
        )
        answers = ray_engine.run(job, units, engine, parts.describe)
    else:
        answers = ((unit, parts(unit)) for unit in units)
    progress = UnitProgress(count_photos(units))
    num_bad = 0
    try:
        with contextlib.closing(answers):
            for unit, bad in answers:
                for path, reason in bad:
                    progress.clear()
                    warn(f"predict.py: {shown(path)}: {shown(reason)}")
                num_bad += len(bad)
                progress.add(len(unit.rows))
    finally:
        progress.clear()
        parts.close()
    _say_end(parts.folder, units)
    return 1 if num_bad else 0


def _say_end(folder, units):
    counts = folder.finish()
    say(
        f"{len(units):,} of {folder.num_parts:,} part files written to "
        f"{folder.path}, of {count_photos(units):,} photos."
    )
    if counts is None:
        missing = sum(not folder.has_part(x) for x in range(folder.num_parts))
        say(f"Still missing: {missing:,} part files.")
    else:
        say(
            f"Complete: {counts['predicted']:,} photos predicted, "
            f"{counts['cannot_be_used']:,} cannot be used (_SUCCESS.json)."
        )
