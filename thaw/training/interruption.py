"""Requests to stop a run between two steps: Ctrl-C, or from the caller."""

import os
import signal
import threading

from thaw.errors import Stopped


class StopRequest:
    """Makes the first Ctrl-C wait for `check`; the second interrupts at once.

    An exception in the middle of TensorFlow's work may come out as any other
    one, and leaves what was being written half done. Use it as a context
    around the stages. SIGINT is held in the main thread only, and its handler
    put back.
    """

    def __enter__(self):
        global _active
        self._received = self._previous = None
        self._outer, _active = _active, self
        is_main = threading.current_thread() is threading.main_thread()
        # nohup, and the shell for what it runs beside, ignore it.
        if is_main and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            self._previous = signal.signal(signal.SIGINT, self._receive)
        return self

    def __exit__(self, exception_type, *_):
        global _active
        _active = self._outer
        self._put_handler_back()
        if exception_type is None:
            self.check()  # one after the last step

    def check(self) -> None:
        """Raises `Stopped` if a request has come."""
        if self._received is not None:
            raise Stopped(self._received)

    def request(self, signal_number: int) -> None:
        """Asks the run to stop after the step it is in.

        Args:
            signal_number: Number of the signal that asks.
        """
        self._received = signal_number
        # print() must not be called while it is already at work.
        os.write(2, b"\nStopping after a few steps; again: at once.\n")

    def _receive(self, number, frame):
        if self._received is not None:
            self._put_handler_back()
            raise KeyboardInterrupt
        self.request(number)

    def _put_handler_back(self):
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
            self._previous = None


_active = None  # the innermost `StopRequest`


def request_stop(signal_number: int) -> bool:
    """Asks the run that trains to stop; returns whether there is one."""
    if _active is None or _active._received is not None:
        return False
    _active.request(signal_number)
    return True
