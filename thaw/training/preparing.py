"""A run that is prepared, and does not train."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from model_zoo.request import check_request
from thaw import progress
from thaw.config import TrainConfig
from thaw.training import request
from thaw.training.inspecting import inspecting

if TYPE_CHECKING:
    from thaw.training.prepared import Prepared


@contextlib.contextmanager
def preparing(
    config: TrainConfig, path: Path, verbose: str | int, is_shared: bool = False
) -> Iterator["Prepared"]:
    """Yields a run that is prepared; no run folder is made.

    Args:
        config: Options of the run, of `request.resolve`.
        path: What its run folder would be.
        verbose: 0: prints nothing.
        is_shared: Whether several machines compute its features, as in
            `thaw.training.shared_runtime`.

    Raises:
        UserError: If options, photos or files don't fit.
    """
    unfreeze_from = check_request(**config.model_arguments())
    request.check_folders(config, path)
    class_names = request.class_names_before(config, path, resume=False)
    with (
        progress.output(silent=verbose == 0),
        inspecting(config, class_names) as inspect,
    ):
        from thaw.training.begin import prepare
        from thaw.training.caching import choose_runtime
        from thaw.training.shared_runtime import choose_shared_runtime

        yield prepare(
            config.with_absolute_paths(),
            inspect,
            unfreeze_from,
            choose_shared_runtime if is_shared else choose_runtime,
        )
