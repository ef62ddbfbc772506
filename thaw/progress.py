"""Messages on stdout and stderr, and progress on one line of the terminal."""

import contextlib
import importlib
import sys
import time
from collections.abc import Iterator
from typing import Any

_WIDTH = 80  # columns
_BAR = 20
_BLANK = "\r" + " " * _WIDTH + "\r"
_REDRAWN_SECONDS = 0.2  # at most so often on a terminal,
_SAID_SECONDS = 30  # and elsewhere


class _Output:
    """Which messages are printed, and how."""

    silent = False
    format = staticmethod(str)
    heavy_imports = contextlib.nullcontext


def say(text: str = "") -> None:
    """Prints a message to stdout, unless the call is silent."""
    if not _Output.silent:
        print(_Output.format(text), flush=True)


def warn(text: str) -> None:
    """Prints a message to stderr."""
    print(_Output.format(text), file=sys.stderr)


def is_silent() -> bool:
    """Returns whether `say` prints nothing."""
    return _Output.silent


def heavy_imports() -> contextlib.AbstractContextManager:
    """Returns a context in which TensorFlow may be imported."""
    return _Output.heavy_imports()


@contextlib.contextmanager
def output(**changes) -> Iterator[None]:
    """Changes how messages are printed, and puts it back.

    Args:
        **changes: `silent`: whether `say` and progress print nothing;
            `format`: function of a message that returns what to print;
            `heavy_imports`: function that returns a context for the import of
            TensorFlow.
    """
    before = {name: getattr(_Output, name) for name in changes}
    for name, value in changes.items():
        setattr(_Output, name, _as_static(value))
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(_Output, name, _as_static(value))


def _as_static(value):
    return staticmethod(value) if callable(value) else value


@contextlib.contextmanager
def shown(text: str) -> Iterator[None]:
    """Shows a line on the terminal while something else goes on."""
    is_shown = sys.stderr.isatty() and not _Output.silent
    if is_shown:
        sys.stderr.write("\r" + text[: _WIDTH - 1])
        sys.stderr.flush()
    try:
        yield
    finally:
        if is_shown:
            sys.stderr.write(_BLANK)


def _notebook_display():
    """Returns `IPython.display` where a notebook shows the output, or None."""
    ipython = sys.modules.get("IPython")
    if ipython is None or not hasattr(ipython.get_ipython(), "kernel"):
        return None
    return importlib.import_module("IPython.display")


class Progress:
    """Counts photos on one line of a terminal or notebook.

    Elsewhere it prints one every 30 seconds.

    Called with the number done, of `total` (None: not known yet); those done
    before the first call cost no time. `what` is `photos`, or done to them.
    """

    def __init__(self, total: int | None, what: str = "photos"):
        self._total, self._what = total, what
        self._start = self._shown = time.perf_counter()
        self._first: int | None = None
        self._done: int | None = None
        self._cell: Any = None  # of a notebook: the line

    def __call__(self, done: int) -> None:
        if self._first is None:
            self._first = done - 1
        self._done = done
        now = time.perf_counter()
        is_redrawn = sys.stderr.isatty() or _notebook_display()
        if not _Output.silent and now - self._shown > (
            _REDRAWN_SECONDS if is_redrawn else _SAID_SECONDS
        ):
            self._shown = now
            bar = of_total = end = ""
            if self._total is not None:
                left = (self._total - done) * self._seconds / self._counted
                of_total = f" of {self._total:,}"
                end = f", {left:.0f} s left"
                bar = "\u2501" * (_BAR * done // self._total)
                bar = f"{bar:\u2500<{_BAR}} "
            text = f"{done:,}{of_total} {self._what}, {self._speed()}{end}"
            self._draw(bar, text)

    def _draw(self, bar, text):
        display = _notebook_display()
        if sys.stderr.isatty():
            print(f"\r{bar}{text} ", end="", file=sys.stderr)
        elif display is None:
            print(text, file=sys.stderr)
        elif self._cell is None:
            line = {"text/plain": bar + text}
            self._cell = display.display(line, raw=True, display_id=True)
        else:
            self._cell.update({"text/plain": bar + text}, raw=True)

    def clear(self) -> None:
        """Takes the line away, so that something else can be printed."""
        if self._cell is not None:
            self._cell.update({"text/plain": ""}, raw=True)
        elif sys.stderr.isatty() and not _Output.silent:
            sys.stderr.write(_BLANK)

    def end(self) -> None:
        """Takes the line away, and prints how many there were."""
        self.clear()
        if self._first is None:
            say(f"Checked {self._total:,} photos, all known from before")
            return
        known = f", {self._first:,} known from before" if self._first else ""
        say(f"Checked {self._total:,} photos{known}, {self._speed()}")

    @property
    def _counted(self):
        return self._done - self._first

    @property
    def _seconds(self):
        return time.perf_counter() - self._start

    def _speed(self):
        return f"{self._counted / self._seconds:.0f} a second"
