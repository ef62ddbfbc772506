"""Exceptions with messages for users, and text that is safe to print."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path


class UserError(ValueError):
    """A mistake in what was asked for: options, arguments, photos or files.

    Its message says what is wrong, what was expected, what was received and
    how to go on. The scripts print it without a traceback and exit with 2.
    """


class MachineError(RuntimeError):
    """A failure of the machine: disk full, out of memory, no permission.

    The scripts print it without a traceback and exit with 1.
    """


class Stopped(KeyboardInterrupt):
    """A run was stopped by Ctrl-C or a signal, and can be resumed.

    Attributes:
        signal_number: Number of the signal.
    """

    def __init__(self, signal_number: int, message: str | None = None):
        names: dict[int, str] = {signal.SIGINT: "Ctrl-C"}
        name = names.get(signal_number, signal.Signals(signal_number).name)
        super().__init__(message or f"Stopped by {name}.")
        self.signal_number = signal_number

    @property
    def status(self) -> int:
        """The exit status of a script."""
        return 128 + self.signal_number


class NotFinite(FloatingPointError):
    """A loss or a gradient is NaN or infinite.

    Attributes:
        stage: Name of the stage.
    """

    def __init__(self, message: str, stage: str):
        super().__init__(message)
        self.stage = stage


class NotVerified(RuntimeError):
    """A saved model could not be shown to be the one that was trained."""


def printable(text: str) -> str:
    """Returns `text` as it can be printed: control codes as `\\x1b`.

    A name from an untrusted file might move the cursor or change its colours.
    Bytes of a name that aren't valid UTF-8 stay as they are.
    """
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or "\udc80" <= character <= "\udcff"
        else character.encode("unicode_escape").decode()
        for character in text
    )


def shown(path: str | Path) -> str:
    """Returns a path as it can be printed: control codes as `\\x1b`."""
    return printable(os.fspath(path))


def list_some(names: Sequence[str], most: int = 5) -> str:
    """Returns the first names, and how many more: `a, b and 3 more`."""
    text = ", ".join(map(shown, names[:most]))
    more = len(names) - most
    return f"{text} and {more:,} more" if more > 0 else text


def valid_utf8(text: str) -> str:
    """Returns `text` with `?` for bytes of file names that aren't UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")


def first_line(error: Exception) -> str:
    """Returns the first line of an exception, as one short sentence."""
    line = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return line[:200].rstrip(".") + "."
