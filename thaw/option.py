"""Option: one option of a command, with its bounds and its text form."""

import dataclasses
import math
import numbers
import os
from typing import Any

from thaw.errors import UserError


@dataclasses.dataclass(frozen=True)
class Option:
    """One option of a command.

    Attributes:
        name: Name of the field, and of the flag.
        default: Value where none is given.
        help: One or two sentences.
        kind: `bool`, `int`, `float`, `str`, `tuple` (of strings), or `rate`:
            a float or the word `find`.
        optional: Whether None is a value, too.
        low, high: Bounds of a number, or None.
        choices: The words to choose from; empty: any.
        is_share: Whether its text form is a percentage.
        alone: Text that its flag stands for without a value.
        section: Heading under which `--help` lists it.
        flag: Whether it has a flag of its own; without one, `--set` and
            flagfiles reach it.
        is_path: Whether it is a path, of which a leading `~` is the user's
            home.
    """

    name: str
    default: object
    help: str
    kind: str
    optional: bool = False
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    is_share: bool = False
    alone: str | None = None
    section: str | None = None
    flag: bool = True
    is_path: bool = False

    def expected(self) -> str:
        """Returns a noun phrase for the values it takes."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        text = {
            "bool": "True or False",
            "int": "an integer",
            "float": "a finite number",
            "rate": "`find` or a number",
            "str": "a string",
            "tuple": "a list of strings",
        }[self.kind]
        if self.is_share:
            return "a share from 0 to 1 (on the command line 0% to 100%)"
        if self.low is not None and self.high is not None:
            text += f" from {self.low:,g} to {self.high:,g}"
        elif self.low is not None:
            text += f" of at least {self.low:,g}"
        return text

    def check(self, value: object) -> Any:
        """Returns `value` in the type of the option.

        Raises:
            UserError: If it is of another type or out of bounds.
        """
        if value is None and self.optional:
            return None
        checked = self._typed(value)
        if (
            checked is None
            or (self.choices and not set(_listed(checked)) <= {*self.choices})
            or (isinstance(checked, int | float) and not self._holds(checked))
        ):
            raise UserError(
                f"`{self.name}` must be {self.expected()}. Received: {value!r}"
            )
        return checked

    def _typed(self, value):
        """Returns `value` in the type of the option, None if it has none."""
        is_bool = isinstance(value, bool)
        if self.kind == "bool":
            return value if is_bool else None
        if self.kind == "int":
            is_int = isinstance(value, numbers.Integral) and not is_bool
            return int(value) if is_int else None
        if self.kind == "rate" and value == "find":
            return value
        if self.kind in ("float", "rate"):
            is_number = isinstance(value, numbers.Real) and not is_bool
            return float(value) if is_number else None
        if self.kind == "tuple":
            values = (value,) if isinstance(value, str) else value
            is_list = isinstance(values, list | tuple) and values
            return tuple(values) if is_list else None
        if isinstance(value, str | os.PathLike):
            path = os.fspath(value)
            return os.path.expanduser(path) if self.is_path else path
        return None

    def _holds(self, number):
        return (
            math.isfinite(number)
            and (self.low is None or number >= self.low)
            and (self.high is None or number <= self.high)
        )

    def parse(self, text: str) -> Any:
        """Returns the value that a flag or a line of a flagfile gives.

        Raises:
            UserError: If the text doesn't stand for a value.
        """
        if self.optional and not text:
            return None
        try:
            value = self._parse(text)
        except ValueError:
            value = text
        if value is text and self.kind not in ("str", "rate"):
            raise UserError(
                f"`{self.name}` must be {self.expected()}. Received: {text!r}"
            )
        return self.check(value)

    def _parse(self, text):
        if self.kind == "bool":
            words = {"true": True, "1": True, "false": False, "0": False}
            return words.get(text.lower(), text)
        if self.kind == "tuple":
            return tuple(text.split(","))
        if self.is_share:
            number = text.removesuffix("%")
            return text if number == text else float(number) / 100
        if self.kind == "int":
            return int(text)
        return float(text) if self.kind in ("float", "rate") else text

    def to_flag(self, value: Any) -> str:
        """Returns a line of a flagfile, e.g. `--epochs=5`."""
        if self.kind == "bool":
            return f"--{self.name}" if value else f"--no{self.name}"
        if value is None:
            return f"--{self.name}="
        if self.is_share:
            value = f"{value * 100:g}%"
        if self.kind == "tuple":
            value = ",".join(value)
        return f"--{self.name}={value}"


def _listed(value):
    return value if isinstance(value, tuple) else (value,)
