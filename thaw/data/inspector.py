"""Pool of worker processes that inspect photos, and TensorFlow after them."""

import itertools
import os
import queue
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from thaw.data.inspect_worker import Inspection
from thaw.data.worker_process import WorkerProcess
from thaw.progress import heavy_imports

# Photos that are read while TensorFlow is imported, or one takes its time.
_AHEAD = 20_000


class Inspector:
    """A pool of worker processes that inspect photos until it is closed.

    Any number of threads may use it at the same time.
    """

    def __init__(self, max_pixels: int, num_workers: int | None = None):
        """Starts nothing yet: workers start with their first photo.

        Args:
            max_pixels: Photos with more pixels are not decoded.
            num_workers: Number of worker processes; None: one per processor.
        """
        num_workers = num_workers or os.cpu_count() or 1
        self._workers = [WorkerProcess(max_pixels) for _ in range(num_workers)]
        self._free = queue.SimpleQueue()  # those of them without a photo
        for worker in self._workers:
            self._free.put(worker)
        self._pools = [ThreadPoolExecutor(num_workers) for _ in range(2)]

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
        return _check_plain(path, self._read(path))

    def inspect_all(self, paths: Iterable[str]) -> Iterator[Inspection]:
        """Returns an iterator over the inspections of photos, in order.

        The processes begin at once, and read ahead. TensorFlow is imported
        with the first of the iterator.

        Args:
            paths: Paths of the photos.
        """
        reads, checks = self._pools
        read = _ahead(
            ((path, reads.submit(self._read, path)) for path in paths), _AHEAD
        )

        def results():
            with heavy_imports():
                from thaw.data import decode

                decode.path_tensor("")  # with the first, devices are logged
            checked = _ahead(
                (
                    checks.submit(lambda x, y: _check_plain(x, y.result()), *of)
                    for of in read
                ),
                2 * len(self._workers),
            )
            yield from (future.result() for future in checked)

        return results()

    def close(self) -> None:
        """Ends the processes, whatever they are doing."""
        for worker in self._workers:
            worker.stop()
        for pool in self._pools:
            pool.shutdown(cancel_futures=True)
        for worker in self._workers:
            worker.close()

    def _read(self, path):
        """Returns the inspection by a worker process."""
        worker = self._free.get()
        try:
            return worker.inspect(path)
        finally:
            self._free.put(worker)


def _check_plain(path, inspection):
    """Returns the inspection of a photo after TensorFlow decoded it, too."""
    # Not above: the processes start before TensorFlow is imported.
    from thaw.data import decode

    if inspection.plain and not decode.decodes_plain(path):
        # Pillow takes e.g. a PNG of which half the rows are missing.
        reason = "damaged (TensorFlow cannot decode it)"
        return Inspection(reason, inspection.digest)
    return inspection


def _ahead(items, count):
    """Returns an iterator over `items`, `count` of which are made ahead."""
    made = deque(itertools.islice(items, count))

    def iterate():
        for item in items:
            made.append(item)
            yield made.popleft()
        yield from made

    return iterate()
