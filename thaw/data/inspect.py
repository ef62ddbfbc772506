"""Inspection of every photo, before any time is spent on training."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from thaw.data import MAX_PIXELS, inspect_worker, inspection_cache
from thaw.data.inspector import Inspector
from thaw.data.photos import Photos, file_stamps
from thaw.progress import Progress

_SAVED_AT_A_TIME = 1000  # photos


def inspect_photos(
    photos: Photos,
    memo: str | Path | None = None,
    max_pixels: int = MAX_PIXELS,
    progress: Callable[[int], None] | None = None,
    inspector: Inspector | None = None,
) -> Photos:
    """Returns the photos with inspections; only new or changed ones are read.

    Args:
        photos: Photos, or those that `recall` returned.
        memo: SQLite file with the inspections of earlier runs, made where it
            is missing; None: every photo is read.
        max_pixels: Photos with more pixels cannot be used.
        progress: Called with the number of photos done.
        inspector: One with the same `max_pixels`; None: one that is made for
            these photos alone.
    """
    with _started(photos, memo, max_pixels, inspector) as finish:
        return finish(progress)


def inspect_together(
    found: Sequence[Photos], memo: str | Path | None, max_pixels: int
) -> list[Photos]:
    """Returns several `Photos`, inspected in one go behind a progress bar.

    Args:
        found: One `Photos` or more.
        memo, max_pixels: As in `inspect_photos`.
    """
    with started(found, memo, max_pixels) as finish:
        return finish()


@contextlib.contextmanager
def started(
    found: Sequence[Photos], memo: str | Path | None, max_pixels: int
) -> Iterator[Callable[[], list[Photos]]]:
    """Starts inspecting photos, in processes, while others import TensorFlow.

    Args:
        found, memo, max_pixels: As in `inspect_together`.

    Yields:
        Function that returns what `inspect_together` does. If it isn't called,
        the inspection is given up.
    """
    photos = sum(found[1:], found[0])

    def finish_together():
        progress = Progress(len(photos))
        inspected = finish(progress)
        progress.end()
        ends = np.cumsum([len(some) for some in found])
        return [
            dataclasses.replace(
                inspected.take(range(end - len(some), end)),
                skipped=some.skipped,
                notes=some.notes,
            )
            for some, end in zip(found, ends, strict=True)
        ]

    with _started(photos, memo, max_pixels) as finish:
        yield finish_together


@contextlib.contextmanager
def _started(photos, memo, max_pixels, inspector=None):
    """Yields a function of `progress` that returns the inspected photos."""
    photos = recall(photos, memo, max_pixels)
    new = [row for row, one in enumerate(photos.inspections) if one is None]
    with contextlib.ExitStack() as stack:
        results = iter(())
        if new:
            if inspector is None:
                inspector = stack.enter_context(Inspector(max_pixels))
            results = inspector.inspect_all([photos.paths[row] for row in new])

        def finish(progress):
            with stack.pop_all():  # the processes end with the last photo
                return _collect(photos, new, results, memo, progress)

        yield finish


def _collect(photos, new, results, memo, progress):
    """Returns photos with the results of those in the rows `new`."""
    inspections, unsaved = list(photos.inspections), []

    def save():
        if memo is not None:
            values = [inspections[row] for row in unsaved]
            inspection_cache.save(memo, photos.take(unsaved), values)
        unsaved.clear()

    with contextlib.ExitStack() as stack:
        stack.callback(save)  # after Ctrl-C, too
        for done, (row, inspection) in enumerate(
            zip(new, results, strict=True), len(photos) - len(new) + 1
        ):
            inspections[row] = inspection
            if inspection.digest:  # else the reason may be gone later
                unsaved.append(row)
            if len(unsaved) >= _SAVED_AT_A_TIME:
                save()
            if progress is not None:
                progress(done)
    return dataclasses.replace(photos, inspections=tuple(inspections))


def recall(photos: Photos, memo: str | Path | None, max_pixels: int) -> Photos:
    """Returns the photos with their known inspections, None where unknown.

    Args:
        photos, memo, max_pixels: As in `inspect_photos`.
    """
    stamps = file_stamps(photos.paths)
    photos = dataclasses.replace(photos, stamps=stamps)
    known = [None] * len(photos)
    if memo is not None:
        known = inspection_cache.load(memo, photos)
    holding: list[Any] = [
        one if one and _holds(one, max_pixels) else None for one in known
    ]
    return dataclasses.replace(photos, inspections=tuple(holding))


def _holds(inspection, max_pixels):
    """Returns whether an inspection is the same with these `max_pixels`."""
    reason = inspection.reason or ""
    was_too_large = reason.startswith(inspect_worker.TOO_MANY)
    return was_too_large == (inspection.width * inspection.height > max_pixels)
