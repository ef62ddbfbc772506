"""Check that model.keras is the model that was trained."""

import contextlib
from collections.abc import Callable

from thaw.data import decode
from thaw.errors import NotVerified
from thaw.progress import warn
from thaw.runs.verify import FreshProcessCheck
from thaw.training.state import Training

_SAMPLES = 64  # photos; some of training where fewer are validated on


def fresh_process(
    verify: bool,
) -> contextlib.AbstractContextManager[FreshProcessCheck | None]:
    """Returns the process that will check model.keras, or None, as a context.

    Args:
        verify: Whether to start it at all.
    """
    return FreshProcessCheck() if verify else contextlib.nullcontext()


def start(
    training: Training, first: FreshProcessCheck | None
) -> Callable[[], dict | None]:
    """Lets the fresh process open model.keras, which takes seconds.

    Args:
        training: The run, whose model has the weights of the best epoch.
        first: Process of `fresh_process`.

    Returns:
        Function that returns `verified` of run.json: the number of `photos`
        and the `largest_difference` of their probabilities; None where there
        is no process. If the file is wrong it is written once more, and
        checked again; it raises `NotVerified` if it still is, and
        `MachineError` if the process could not do its work.
    """
    if first is None:
        return lambda: None
    train, validation = training.splits.train, training.splits.validation
    paths = [*validation.paths, *train.paths]
    photos = decode.load_samples(
        paths[: max(_SAMPLES, len(validation))],
        pixel_ranges=validation.pixel_ranges,
    )
    path = training.folder.model_path

    def compare(check):
        difference = check.compare(training.model)
        return {"photos": len(photos), "largest_difference": difference}

    def compare_twice():
        try:
            return compare(first)
        except NotVerified as error:
            warn(f"{path}: {error} It is written once more")
        training.best.save_again()
        with FreshProcessCheck() as second:
            second.open(path, photos)
            return compare(second)

    first.open(path, photos)
    return compare_twice
