"""fill_part: a part of the features of a run, for array jobs."""

import dataclasses

from thaw.config import TrainConfig
from thaw.errors import UserError
from thaw.keras_config import check_keras_config
from thaw.progress import say
from thaw.training import request
from thaw.training.preparing import preparing
from thaw.work.part import Part
from thaw.work.progress import UnitProgress


def fill_part(
    config: TrainConfig, part: Part, *, verbose: str | int = "auto"
) -> TrainConfig:
    """Computes every n-th unit of the features that a run will need.

    They are kept in its cache; nothing trains, and no run folder is made. Once
    all parts are done, a training on the same kind of device finds them.

    Args:
        config: Options of the run.
        part: The part.
        verbose: 0: prints nothing.

    Returns:
        The options of that training: what computes the frozen part is decided.

    Raises:
        UserError: If options, photos or files don't fit, or no features are
            kept.
        MachineError: If they cannot be stored.
    """
    check_keras_config()
    resolved, path = request.resolve(config, None, None, False, {})
    with preparing(resolved, path, verbose, is_shared=True) as prepared:
        from thaw.training.filling import Filling
        from thaw.work.units import count_photos

        fill = Filling(prepared)
        if not fill.keeps_any:
            raise UserError(
                "`part` fills the cache of features, and this run keeps none. "
                "Make room, or raise `cache_limit_gb`."
            )
        units = part.take(fill.plan(part.total))
        num_photos = count_photos(units)
        progress = UnitProgress(num_photos)
        for unit in units:
            fill(unit)
            progress.add(len(unit.rows))
        progress.clear()
        say(
            f"Part {part}: {num_photos:,} photos in {len(units):,} units "
            "computed, beside what was stored already."
        )
        return dataclasses.replace(
            config,
            frozen_runtime=prepared.config.frozen_runtime,
            frozen_precision=prepared.config.frozen_precision,
        )
