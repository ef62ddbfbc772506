"""Work that many threads ask for, done together."""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor


class Busy(Exception):
    """There is no room for more."""


class Batcher:
    """Prepares items side by side, and computes those that are ready at once.

    One thread computes: it takes what is ready, however little that is, and
    what becomes ready meanwhile makes the next batch. So one client alone
    never waits for others, and many share the cost.
    """

    def __init__(
        self,
        prepare: Callable,
        compute: Callable[[list], Sequence],
        *,
        batch_size: int,
        room: int,
        num_preparing: int,
    ):
        """Starts the threads.

        Args:
            prepare: Function of an item; what it returns is computed.
            compute: Function of a list of these, of one result for each.
            batch_size: Most to compute at once.
            room: Most items that are not done yet.
            num_preparing: Most items to prepare at once.
        """
        self.room = room
        self._prepare = prepare
        self._compute = compute
        self._batch_size = batch_size
        self._left = room
        self._lock = threading.Lock()
        self._preparing = ThreadPoolExecutor(num_preparing)
        self._ready = queue.SimpleQueue()  # (prepared, its Future); None: end
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def submit(self, items: Sequence) -> list[Future]:
        """Returns the results to come, one for each item.

        One whose item could not be prepared or computed raises what these
        functions raised.

        Raises:
            Busy: If there is no room for all of them.
        """
        with self._lock:
            if len(items) > self._left:
                raise Busy
            self._left -= len(items)
        futures = [Future() for _ in items]
        for item, future in zip(items, futures, strict=True):
            self._preparing.submit(self._make_ready, item, future)
        return futures

    def close(self) -> None:
        """Does what there is to do, and ends the threads."""
        self._preparing.shutdown()
        self._ready.put(None)
        self._thread.join()

    def _make_ready(self, item, future):
        try:
            self._ready.put((self._prepare(item), future))
        except Exception as error:  # raised where the result is waited for
            self._make_room(1)
            future.set_exception(error)

    def _make_room(self, number):
        """Makes it before results are known: who has one may ask again."""
        with self._lock:
            self._left += number

    def _work(self):
        while (first := self._ready.get()) is not None:
            batch = [first]
            while len(batch) < self._batch_size:
                try:
                    another = self._ready.get_nowait()
                except queue.Empty:
                    break
                if another is None:
                    self._ready.put(None)
                    break
                batch.append(another)
            self._compute_batch(*zip(*batch, strict=True))

    def _compute_batch(self, prepared, futures):
        try:
            results = self._compute(list(prepared))
            pairs = list(zip(futures, results, strict=True))
        except Exception as error:
            self._make_room(len(futures))
            for future in futures:
                future.set_exception(error)
            return
        self._make_room(len(futures))
        for future, result in pairs:
            future.set_result(result)
