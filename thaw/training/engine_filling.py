"""Caches of a run, filled by the workers of an engine before it trains."""

import contextlib
import uuid
from pathlib import Path

from thaw.errors import UserError
from thaw.progress import say
from thaw.training.caching import cache_path, open_cache_folder
from thaw.training.feature_job import FeatureJob
from thaw.training.filling import Filling, with_other_caches
from thaw.training.prepared import Prepared
from thaw.work import ray_engine
from thaw.work.options import EngineOptions
from thaw.work.progress import UnitProgress
from thaw.work.units import count_photos


def fill_caches(prepared: Prepared, options: EngineOptions) -> None:
    """Computes what the caches of a run lack by Ray, if that is asked for.

    Args:
        prepared: The run; its caches have not been read yet.
        options: Of the engine; of `local` nothing is done here.

    Raises:
        UserError: If no features are kept, or the workers can't compute them.
        MachineError: If a unit can't be computed.
    """
    if options.engine == "local":
        return
    folder = open_cache_folder(prepared.config)
    filling = folder and Filling(with_other_caches(prepared, folder))
    if not filling or not filling.keeps_any:
        raise UserError(
            "`engine=ray` fills the cache of features, and this run keeps "
            "none. Make room in a `cache_dir` that all machines share."
        )
    units = filling.plan(options.planned_workers)
    total = count_photos(units)
    if not units:
        say("Ray: all features are stored already.")
        return
    say(f"Ray: computing the features of {total:,} photos.")
    progress = UnitProgress(total)
    probe = Path(cache_path(prepared.config), f"probe-{uuid.uuid4().hex}")
    probe.touch()
    try:
        job = FeatureJob.of(prepared, probe.name)
        answers = ray_engine.run(job, units, options, filling.describe)
        with contextlib.closing(answers):
            for unit, _ in answers:
                progress.add(len(unit.rows))
    finally:
        progress.clear()
        probe.unlink(missing_ok=True)
