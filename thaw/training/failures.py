"""Failures of a run, in one message with the way to go on."""

import contextlib
import errno
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from thaw.errors import (
    MachineError,
    NotFinite,
    NotVerified,
    Stopped,
    shown,
)
from thaw.training import figures
from thaw.training.state import Training

_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


@contextlib.contextmanager
def explained(training: Training) -> Iterator[None]:
    """Raises failures anew, with what was kept and the command that resumes.

    Args:
        training: The run.

    Raises:
        Stopped: After Ctrl-C, or where the run was asked to stop.
        NotFinite: If a loss or a gradient was NaN or infinite.
        NotVerified: If model.keras may not be the model that was trained.
        MachineError: If the disk is full, the memory used up, or a photo gone.
    """
    try:
        yield
    except (
        KeyboardInterrupt,
        FloatingPointError,
        NotVerified,
        OSError,
        tf.errors.OpError,
    ) as error:
        with contextlib.suppress(OSError):  # they are made again at the end
            training.best.save()
            figures.draw_curves(training)
            figures.add_to_events(training)
        kept = training.best.describe(len(training.history.epochs))
        folder = training.folder.path
        why, way_on = _why_stopped(error, training)
        message = f"{why} {kept}. See {folder}\n{way_on}"
        if isinstance(error, KeyboardInterrupt):
            number = getattr(error, "signal_number", signal.SIGINT)
            raise Stopped(number, message) from error
        if isinstance(error, NotFinite):
            raise NotFinite(message, error.stage) from error
        if isinstance(error, NotVerified):
            raise NotVerified(message) from error
        raise MachineError(message) from error


def _why_stopped(error, training) -> tuple[str, str]:
    """Returns why a run ended, and how it may go on.

    Raises:
        Exception: `error` itself, where there is no plain word for it.
    """
    run_dir = training.folder.path
    go_on = f"python train.py --resume={shlex.quote(str(run_dir))}"
    if isinstance(error, KeyboardInterrupt):
        return str(error) or "Stopped by Ctrl-C.", f"Resume: {go_on}"
    if isinstance(error, NotFinite):
        return str(error), (
            f"Resume from before it, at a tenth of the learning rate: {go_on} "
            f"{_lower_rate(training, error.stage)} --resume_anyway"
        )
    if isinstance(error, FloatingPointError):  # the range test's, the cache's
        return str(error), f"Then: {go_on} --resume_anyway"
    if isinstance(error, NotVerified):
        return str(error), f"Once more: {go_on}"
    if isinstance(error, OSError):
        if error.errno not in _DISK_ERRORS:
            raise error
        where = Path(error.filename).parent if error.filename else run_dir
        way_on = "Make room; then"
        if error.errno in (errno.EROFS, errno.EIO):
            way_on = "Repair that; then"
        return f"Cannot write to {where}: {error.strerror}.", (
            f"{way_on}: {go_on}"
        )
    if isinstance(error, tf.errors.ResourceExhaustedError):
        size = training.config.batch_size
        return f"There is not enough memory for `batch_size={size}`.", (
            f"Begin a new run with `batch_size={max(size // 2, 1)}`; or, where "
            f"there is more memory: {go_on}"
        )
    changed = [
        photos.paths[row]
        for photos in training.splits[:2]
        for row in np.flatnonzero(~photos.unchanged(np.arange(len(photos))))
    ]
    if not changed:
        raise error
    return (
        f"{shown(changed[0])} has been changed or taken away since the run "
        "inspected it."
    ), f"Put it back; then: {go_on}"


def _lower_rate(training, stage_name):
    """Returns the flag for a tenth of the learning rate of a stage."""
    name = "learning_rate"
    if stage_name == "head":
        name = "head_learning_rate"
    rate = getattr(training.config, name)
    return f"--{name}={'...' if rate == 'find' else f'{rate / 10:g}'}"
