"""Ctrl-C that stops a `fit` between two steps."""

import os
import signal

import keras


class StopBetweenSteps(keras.callbacks.Callback):
    """Makes the first Ctrl-C wait for the end of the step.

    An exception in the middle of TensorFlow's work may come out as any other
    one, and leaves what was being written half done. The second Ctrl-C does
    what it always did. Use it as a context around `fit`, and as a callback.

    Raises:
        KeyboardInterrupt: At the end of the step in which Ctrl-C was pressed,
            or of the context.
    """

    def __enter__(self):
        self._requested = False
        self._previous = signal.signal(signal.SIGINT, self._request)
        return self

    def __exit__(self, exception_type, *_):
        signal.signal(signal.SIGINT, self._previous)
        if self._requested and exception_type is None:
            raise KeyboardInterrupt  # pressed after the last step

    def _request(self, signal_number, frame):
        self._requested = True
        signal.signal(signal.SIGINT, self._previous)
        # print() must not be called while it is already at work.
        os.write(2, b"\nStopping after a few steps; Ctrl-C again: at once.\n")

    def on_train_batch_end(self, batch, logs=None):
        if self._requested:
            raise KeyboardInterrupt

    def on_test_batch_end(self, batch, logs=None):
        if self._requested:
            raise KeyboardInterrupt
