"""Batcher: dynamic batching of items from many threads."""

import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor


class Busy(Exception):
    """There is no room for more items."""


class Batcher:
    """Prepares items in parallel, and computes the ready ones together.

    One thread computes: it takes all items that are ready, however few, and
    those that become ready meanwhile make the next batch. So one client alone
    never waits for others, and many share the cost.
    """

    def __init__(
        self,
        prepare: Callable,
        compute: Callable[[list], Sequence],
        *,
        batch_size: int,
        room: int,
        num_preparing: int | None,
    ):
        """Starts the threads.

        Args:
            prepare: Function of an item that returns the input of `compute`.
            compute: Function of a list of these that returns their results.
            batch_size: Most to compute at once.
            room: Most items that are not done yet.
            num_preparing: Most items to prepare at once; None: by the cores.
        """
        self._prepare = prepare
        self._compute = compute
        self._batch_size = batch_size
        self._room = room
        self._lock = threading.Lock()
        self._ready = queue.SimpleQueue()  # (prepared, its Future)
        self._preparing = ThreadPoolExecutor(num_preparing)
        self._computing = ThreadPoolExecutor(1)

    def submit(self, items: Sequence) -> list[Future]:
        """Returns the results to come, one for each item.

        One whose item could not be prepared or computed raises what these
        functions raised.

        Raises:
            Busy: If there is no room for all of them.
        """
        self._make_room(-len(items))
        futures = [Future() for _ in items]
        for item, future in zip(items, futures, strict=True):
            self._preparing.submit(self._make_ready, item, future)
        return futures

    def close(self) -> None:
        """Finishes all items, and ends the threads."""
        self._preparing.shutdown()
        self._computing.shutdown()

    def _make_ready(self, item, future):
        try:
            self._ready.put((self._prepare(item), future))
        except Exception as error:
            self._fail([future], error)
        else:
            self._computing.submit(self._compute_ready)

    def _compute_ready(self):
        """Computes a batch of what is ready; earlier calls may have left none.

        Room is made before results are set: their clients may ask again.
        """
        batch = []
        with contextlib.suppress(queue.Empty):
            while len(batch) < self._batch_size:
                batch.append(self._ready.get_nowait())
        if not batch:
            return
        prepared, futures = zip(*batch, strict=True)
        try:
            results = self._compute(list(prepared))
            pairs = list(zip(futures, results, strict=True))
        except Exception as error:
            return self._fail(futures, error)
        self._make_room(len(futures))
        for future, result in pairs:
            future.set_result(result)

    def _fail(self, futures, error):
        """Sets an error, which is raised where the result is waited for."""
        self._make_room(len(futures))
        for future in futures:
            future.set_exception(error)

    def _make_room(self, number):
        with self._lock:
            if self._room + number < 0:
                raise Busy
            self._room += number
