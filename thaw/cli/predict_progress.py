"""Messages of predict.py on stderr, while it predicts and at the end."""

import sys
import time
from collections.abc import Iterable, Iterator

from thaw.errors import UserError, shown
from thaw.inference.predictions import Prediction
from thaw.progress import Progress, warn

_MANY = 1000  # photos from which on the speed is always printed


def good_predictions(
    predictions: Iterable[Prediction],
    total: int | None,
    bad: list[str],
    needs_all: bool,
) -> Iterator[Prediction]:
    """Yields predictions, and prints why the others are missing.

    There is a bar, if there is a terminal, and at the end the speed.

    Args:
        predictions: Those of all photos.
        total: Number of all photos; None: not known yet.
        bad: List to which paths of photos that can't be used are added.
        needs_all: Whether one such photo is an error in the end.

    Raises:
        UserError: If `needs_all`, and one can't be used.
    """
    start, number = time.perf_counter(), 0
    # Where the rows are printed on the same terminal, they show how far it is.
    has_bar = sys.stderr.isatty() and not sys.stdout.isatty()
    progress = Progress(total) if has_bar else None

    def say(text):
        if progress is not None:
            progress.clear()
        warn(text)

    try:
        for number, prediction in enumerate(predictions, 1):
            if prediction.error is None:
                yield prediction
            else:
                bad.append(prediction.path)
                path, error = shown(prediction.path), shown(prediction.error)
                say(f"predict.py: {path}: {error}")
            if progress is not None:
                progress(number)
    finally:
        if progress is not None:
            progress.clear()
    seconds = time.perf_counter() - start
    if sys.stderr.isatty() or number >= _MANY:
        say(
            f"{number:,} photo{'s' * (number != 1)} in {seconds:.1f} s, "
            f"{number / seconds:.0f} photos/s"
        )
    if bad:
        say(f"predict.py: {len(bad):,} of {number:,} photos cannot be used.")
        if needs_all:
            raise UserError("A contest needs a label for every photo.")
