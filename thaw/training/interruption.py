"""Signals that end a run between two steps."""

import os
import signal
import sys

import keras

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows lacks the last


class Stopped(KeyboardInterrupt):
    """The run was asked to stop, and is between two steps.

    Attributes:
        status: Exit status, 128 and the number of the signal.
    """

    def __init__(self, signal_number: int):
        names = {signal.SIGINT: "Ctrl-C"}
        name = names.get(signal_number, signal.Signals(signal_number).name)
        super().__init__(f"Stopped by {name}.")
        self.status = 128 + signal_number


class StopRequest(keras.callbacks.Callback):
    """Makes the first signal wait for `check`; the second ends at once.

    An exception in the middle of TensorFlow's work may come out as any other
    one, and leaves what was being written half done. Use it as a context
    around the stages, and as a callback of `evaluate`.
    """

    def __enter__(self):
        self._received = None
        numbers = [getattr(signal, x) for x in _SIGNALS if hasattr(signal, x)]
        self._previous = {
            number: signal.signal(number, self._receive)
            for number in numbers
            # nohup, and the shell for what it runs beside, set this.
            if signal.getsignal(number) is not signal.SIG_IGN
        }
        return self

    def __exit__(self, exception_type, *_):
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        if exception_type is None:
            self.check()  # one after the last step

    def check(self) -> None:
        """Raises `Stopped` if a signal has come."""
        if self._received is not None:
            raise Stopped(self._received)

    def on_test_batch_end(self, batch, logs=None):
        self.check()

    def _receive(self, number, frame):
        if self._received is not None:
            os._exit(128 + number)  # at once
        self._received = number
        if number == getattr(signal, "SIGHUP", None):
            # The terminal is gone, and writing to it an error.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for stream in (sys.stdout, sys.stderr):
                if stream.isatty():
                    os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
        # print() must not be called while it is already at work.
        os.write(2, b"\nStopping after a few steps; again: at once.\n")
