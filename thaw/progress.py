"""How far a script is, on one line of the terminal."""

import sys
import time

_WIDTH = 80  # columns
_BAR = 30
_REDRAWN_SECONDS = 0.2  # at most so often on a terminal,
_SAID_SECONDS = 60  # and elsewhere


class Progress:
    """Counts photos on one line of the terminal; elsewhere, once a minute.

    Called with the number done, of `total` (None: not known yet); those done
    before the first call cost no time.
    """

    def __init__(self, total: int | None):
        self._total = total
        self._start = self._shown = time.perf_counter()
        self._first = self._done = None

    def __call__(self, done: int) -> None:
        if self._first is None:
            self._first = done - 1
        self._done = done
        now = time.perf_counter()
        on_terminal = sys.stderr.isatty()
        if now - self._shown > (
            _REDRAWN_SECONDS if on_terminal else _SAID_SECONDS
        ):
            self._shown = now
            text = f"{done:,} photos, {self._speed()}"
            bar = ""
            if self._total is not None:
                text = f"{done:,} of {self._total:,} photos, {self._speed()}"
                bar = "\u2501" * (_BAR * done // self._total)
                bar = f"{bar:\u2500<{_BAR}} "
            if on_terminal:
                text = f"\r{bar}{text} "
            print(text, end="" if on_terminal else "\n", file=sys.stderr)

    def clear(self) -> None:
        """Takes the line away, so that something else can be printed."""
        if sys.stderr.isatty():
            sys.stderr.write("\r" + " " * _WIDTH + "\r")

    def end(self) -> None:
        """Takes the line away, and prints how many there were."""
        self.clear()
        if self._first is None:
            print(f"Checked {self._total:,} photos, all known from before")
            return
        known = f", {self._first:,} known from before" if self._first else ""
        print(f"Checked {self._total:,} photos{known}, {self._speed()}")

    def _speed(self):
        seconds = time.perf_counter() - self._start
        return f"{(self._done - self._first) / seconds:.0f} a second"
