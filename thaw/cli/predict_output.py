"""Part files of predict.py, and what it says of them."""

from collections.abc import Sequence

from thaw.errors import shown
from thaw.inference.prediction_parts import PredictionParts
from thaw.progress import Progress, say, warn
from thaw.work.part import Part
from thaw.work.units import count_photos


def write_parts(run, paths: Sequence[str], config) -> int:
    """Writes the part files that are missing; returns the exit status.

    Args:
        run: `thaw.Run`.
        paths: Paths of the photos.
        config: `PredictConfig` with an `output`.

    Raises:
        UserError: If the folder holds anything else.
    """
    part = Part.parse(config.part)
    parts = PredictionParts(
        run,
        paths,
        config.output,
        workers=part.total,
        top=config.top,
        unsure_below=config.unsure_below or 0.0,
        max_pixels=config.max_pixels,
    )
    units = part.take(parts.plan())
    progress = Progress(count_photos(units))
    done = num_bad = 0
    try:
        for unit in units:
            bad = parts(unit)
            for path, reason in bad:
                progress.clear()
                warn(f"predict.py: {shown(path)}: {shown(reason)}")
            num_bad += len(bad)
            done += len(unit.rows)
            progress(done)
    finally:
        progress.clear()
        parts.close()
    _say_end(parts.folder, len(units), done)
    return 1 if num_bad else 0


def _say_end(folder, num_written, num_photos):
    counts = folder.finish()
    say(
        f"{num_written:,} of {folder.num_parts:,} part files written to "
        f"{folder.path}, of {num_photos:,} photos."
    )
    if counts is None:
        missing = sum(not folder.has_part(x) for x in range(folder.num_parts))
        say(f"Still missing: {missing:,} part files.")
    else:
        say(
            f"Complete: {counts['predicted']:,} photos predicted, "
            f"{counts['cannot_be_used']:,} cannot be used (_SUCCESS.json)."
        )
