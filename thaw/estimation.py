"""estimate_run: the time and disk space of a run."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from thaw.config import TrainConfig
from thaw.errors import UserError
from thaw.keras_config import check_keras_config
from thaw.training import request
from thaw.training.preparing import preparing

if TYPE_CHECKING:
    from thaw.search.estimate import Estimate


def estimate_run(
    data: str | Path | None = None,
    *,
    config: TrainConfig | None = None,
    verbose: str | int = "auto",
    **options,
) -> "Estimate":
    """Estimates the time and the disk that `fine_tune` takes, on this machine.

    Photos are checked and the model is built, as for the run; then about a
    second is measured. No run folder is made, and nothing trains.

    Args:
        data: As in `fine_tune`.
        config: All options; or give them one by one, not both.
        verbose: 0: prints nothing.
        **options: Fields of `TrainConfig`.

    Returns:
        An `Estimate`: `seconds` by part, `total`, `disk_bytes`; `str` of it is
        one line.

    Raises:
        UserError: If options, photos or files don't fit.

    Example:

    ```python
    import thaw

    estimate = thaw.estimate_run(limit=40, head_epochs=1, epochs=1)
    print(estimate, estimate.total)
    ```
    """
    started = time.perf_counter()
    check_keras_config()
    config, path = request.resolve(config, data, None, False, options)
    if config.searches:
        raise UserError(
            "A search uses its whole `budget`. For an estimate, set "
            "`unfreeze_from` to a layer."
        )
    with preparing(config, path, verbose) as prepared:
        from thaw.search.estimate import estimate

        return estimate(prepared, started)
