"""Inspection of every photo, before any time is spent on training."""

import contextlib
import dataclasses
import os
import queue
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from thaw.data import MAX_PIXELS, inspect_worker, inspection_cache
from thaw.data.inspect_worker import Inspection
from thaw.data.photos import Photos, file_stamps
from thaw.data.worker_process import WorkerProcess
from thaw.progress import Progress, heavy_imports

_SAVED_AT_A_TIME = 1000  # photos
_AHEAD = 1000  # photos that are inspected while one takes its time


def inspect_photos(
    photos: Photos,
    memo: str | Path | None = None,
    max_pixels: int = MAX_PIXELS,
    progress: Callable[[int], None] | None = None,
    inspector: "Inspector | None" = None,
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
    if not photos.inspections:
        photos = recall(photos, memo, max_pixels)
    inspections, unsaved = list(photos.inspections), []
    new = [row for row, known in enumerate(inspections) if known is None]
    if not new:
        return photos

    def save():
        if memo is not None:
            values = [inspections[row] for row in unsaved]
            inspection_cache.save(memo, photos.take(unsaved), values)
        unsaved.clear()

    with contextlib.ExitStack() as stack:
        if inspector is None:
            inspector = stack.enter_context(Inspector(max_pixels))
        stack.callback(save)  # after Ctrl-C, too
        found = inspector.inspect_all([photos.paths[row] for row in new])
        stack.enter_context(contextlib.closing(found))
        for done, (row, inspection) in enumerate(
            zip(new, found, strict=True), len(photos) - len(new) + 1
        ):
            inspections[row] = inspection
            if inspection.digest:  # else the reason may be gone later
                unsaved.append(row)
            if len(unsaved) >= _SAVED_AT_A_TIME:
                save()
            if progress is not None:
                progress(done)
    return dataclasses.replace(photos, inspections=tuple(inspections))


def inspect_together(
    found: Sequence[Photos], memo: str | Path | None, max_pixels: int
) -> list[Photos]:
    """Returns several `Photos`, inspected in one go behind a progress bar.

    Args:
        found: One `Photos` or more.
        memo, max_pixels: As in `inspect_photos`.
    """
    photos = recall(sum(found[1:], found[0]), memo, max_pixels)
    with contextlib.ExitStack() as stack:
        inspector = None
        if None in photos.inspections:
            inspector = stack.enter_context(Inspector(max_pixels))
        progress = Progress(len(photos))
        photos = inspect_photos(photos, memo, max_pixels, progress, inspector)
        progress.end()
    ends = np.cumsum([len(some) for some in found])
    return [
        dataclasses.replace(
            photos.take(range(end - len(some), end)),
            skipped=some.skipped,
            notes=some.notes,
        )
        for some, end in zip(found, ends, strict=True)
    ]


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
    return dataclasses.replace(
        photos,
        inspections=tuple(
            one if one and _holds(one, max_pixels) else None for one in known
        ),
    )


def _holds(inspection, max_pixels):
    """Returns whether an inspection is the same with these `max_pixels`."""
    reason = inspection.reason or ""
    was_too_large = reason.startswith(inspect_worker.TOO_MANY)
    return was_too_large == (inspection.width * inspection.height > max_pixels)


class Inspector:
    """A pool of worker processes that inspect photos until it is closed.

    Any number of threads may use it at the same time.
    """

    def __init__(self, max_pixels: int):
        """Imports TensorFlow; workers start with their first photo.

        Args:
            max_pixels: Photos with more pixels are not decoded.
        """
        with heavy_imports():
            from thaw.data import decode

            decode.path_tensor("")  # with the first, devices are logged
        self._decodes_plain = decode.decodes_plain
        self._workers = [
            WorkerProcess(max_pixels) for _ in range(os.cpu_count())
        ]
        self._free = queue.SimpleQueue()  # those of them without a photo
        for worker in self._workers:
            self._free.put(worker)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def inspect(self, path: str) -> Inspection:
        """Returns the inspection of one photo, once a worker is free for it.

        The file is decoded once, by Pillow in a process of its own: a crash or
        an endless loop costs that file only. What TensorFlow will decode, it
        decodes here, too.

        Args:
            path: Path of the photo.

        Raises:
            RuntimeError: If the process cannot be started.
        """
        worker = self._free.get()
        try:
            inspection = worker.inspect(path)
        finally:
            self._free.put(worker)
        if inspection.plain and not self._decodes_plain(path):
            # Pillow takes e.g. a PNG of which half the rows are missing.
            reason = "damaged (TensorFlow cannot decode it)"
            return Inspection(reason, inspection.digest)
        return inspection

    def inspect_all(self, paths: Sequence[str]) -> Iterator[Inspection]:
        """Yields the inspection of each photo, in order.

        Args:
            paths: Paths of the photos.
        """
        with ThreadPoolExecutor(len(self._workers)) as pool:
            waiting = deque()
            try:
                for path in paths:
                    waiting.append(pool.submit(self.inspect, path))
                    if len(waiting) > _AHEAD:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            except BaseException:  # Ctrl-C, too
                pool.shutdown(wait=False, cancel_futures=True)
                for worker in self._workers:
                    worker.stop()
                raise

    def close(self) -> None:
        """Ends the processes."""
        for worker in self._workers:
            worker.close()
