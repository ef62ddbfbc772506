"""Predictions of many photos, in part files; by whoever does the work."""

import contextlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from thaw.data import MAX_PIXELS
from thaw.errors import UserError, shown
from thaw.inference.photo_parts import Source, find_source, join_sources
from thaw.inference.prediction_job import PredictionJob
from thaw.inference.prediction_parts import PredictionParts
from thaw.progress import say, warn
from thaw.runs.shipped import ShippedRun
from thaw.work import ray_engine
from thaw.work.options import LOCAL, EngineOptions
from thaw.work.part import Part
from thaw.work.progress import UnitProgress
from thaw.work.units import count_photos


def write_predictions(
    run,
    photos: str | os.PathLike | Iterable[str | os.PathLike],
    output: str | Path,
    **options,
) -> int:
    """Does what `Run.write_predictions` says."""
    engine = EngineOptions.taken_from(options)
    part = options.pop("part", None)
    engine.check_part(part)
    if isinstance(photos, str | os.PathLike):
        photos = [photos]
    source = join_sources([find_source(x) for x in photos])
    return write_part_files(
        run, source, output, engine, Part.parse(part), **options
    )


def write_part_files(
    run,
    source: Source,
    output: str | Path,
    engine: EngineOptions = LOCAL,
    part: Part | None = None,
    *,
    top: int | None = None,
    unsure_below: float | None = None,
    max_pixels: int = MAX_PIXELS,
    on_bad: Callable[[str], None] = warn,
) -> int:
    """Writes the part files that are missing.

    Args:
        run: `thaw.Run`.
        source: Photos, or the tar files that hold them.
        output: Folder of the part files, or its address.
        engine: Who predicts.
        part: Units to do; None: all.
        top, unsure_below, max_pixels: As in predict.py.
        on_bad: Called with path and reason of each photo that can't be used.

    Returns:
        Number of photos that can't be used.

    Raises:
        UserError: If the folder holds anything else.
        MachineError: If a part can't be written.
    """
    if top is not None and top < 1:
        raise UserError(f"`top` must be at least 1. Received: {top}")
    part, output = part or Part(), os.fspath(output)
    options: dict[str, Any] = {
        "top": top,
        "unsure_below": unsure_below or 0.0,
        "max_pixels": max_pixels,
    }
    workers = part.total
    if engine.engine == "ray":
        workers = engine.planned_workers
    parts = PredictionParts(run, source, output, workers=workers, **options)
    units = part.take(parts.plan())
    if engine.engine == "ray":
        shipped = ShippedRun.of(run.path)
        job = PredictionJob.of(shipped, source, output, options)
        answers = ray_engine.run(job, units, engine, parts.describe)
    else:
        answers = ((unit, parts(unit)) for unit in units)
    kind = "tar files" if source.shards else "photos"
    progress = UnitProgress(count_photos(units), kind)
    num_bad = 0
    try:
        with contextlib.closing(answers):
            for unit, bad in answers:
                for path, reason in bad:
                    progress.clear()
                    on_bad(f"{shown(path)}: {shown(reason)}")
                num_bad += len(bad)
                progress.add(len(unit.rows))
    finally:
        progress.clear()
        parts.close()
    _say_end(parts.folder, units, kind)
    return num_bad


def _say_end(folder, units, kind):
    counts = folder.finish()
    say(
        f"{len(units):,} of {folder.num_parts:,} part files written to "
        f"{folder.path}, of {count_photos(units):,} {kind}."
    )
    if counts is None:
        missing = len(folder.missing_parts())
        say(f"Still missing: {missing:,} part files.")
    else:
        say(
            f"Complete: {counts['predicted']:,} photos predicted, "
            f"{counts['cannot_be_used']:,} cannot be used (_SUCCESS.json)."
        )
