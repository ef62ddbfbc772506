"""Background thread that prefetches the items of an iterator."""

import queue
import threading
from collections.abc import Callable, Iterator

_PATIENCE_SECONDS = 0.1  # between two looks at whether it is to end
_JOIN_SECONDS = 4


class Producer:
    """Makes the items of an iterator ahead, in a thread of its own.

    An exception of the iterator is raised where its item would be.

    Example:

    ```python
    with Producer(lambda: map(load, paths), ahead=2) as batches:
        for batch in batches:
            train(batch)
    ```
    """

    def __init__(self, make_items: Callable[[], Iterator], ahead: int):
        """Starts the thread.

        Args:
            make_items: Returns the iterator; called in the thread, which also
                closes it.
            ahead: Items that are ready before they are asked for.
        """
        self._made = queue.Queue(ahead)
        self._is_closed = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(make_items,), name="producer", daemon=True
        )
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def __iter__(self):
        return self

    def __next__(self):
        while not self._is_closed.is_set():
            try:
                item, error = self._made.get(timeout=_PATIENCE_SECONDS)
            except queue.Empty:
                continue
            if error is not None:
                self._is_closed.set()
                raise error
            return item
        raise StopIteration

    def close(self) -> None:
        """Ends the thread, after the item that it is making."""
        self._is_closed.set()
        if self._thread is not threading.current_thread():
            self._thread.join(_JOIN_SECONDS)

    def _run(self, make_items):
        items = make_items()
        try:
            for item in items:
                if not self._put(item, None):
                    return
            self._put(None, StopIteration())
        except BaseException as error:
            self._put(None, error)
        finally:
            items.close()

    def _put(self, item, error):
        """Returns whether it was taken over before the end."""
        while not self._is_closed.is_set():
            try:
                self._made.put((item, error), timeout=_PATIENCE_SECONDS)
                return True
            except queue.Full:
                pass
        return False
