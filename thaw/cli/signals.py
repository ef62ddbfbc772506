"""Signals that end a run between two steps, besides Ctrl-C."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator

from thaw.errors import Stopped

_NAMES = ("SIGTERM", "SIGHUP")  # Windows lacks the second


@contextlib.contextmanager
def stop_on_signals() -> Iterator[None]:
    """Makes SIGTERM and SIGHUP stop the run as Ctrl-C does.

    The first waits for the end of a step; the second ends the process.
    """
    from thaw.training import interruption

    def receive(number, frame):
        nonlocal is_stopping
        if is_stopping:
            os._exit(128 + number)  # at once
        is_stopping = True
        if number == getattr(signal, "SIGHUP", None):
            _silence_terminal()
        if not interruption.request_stop(number):  # nothing trains
            raise Stopped(number)

    is_stopping = False
    numbers = [getattr(signal, x) for x in _NAMES if hasattr(signal, x)]
    previous = {
        number: signal.signal(number, receive)
        for number in numbers
        # nohup, and the shell for what it runs beside, ignore them.
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _silence_terminal():
    """Sends output nowhere: the terminal is gone, and writing an error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        if stream.isatty():
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
