"""One of several equal parts of a plan, for array jobs."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from thaw.errors import UserError


class Part(NamedTuple):
    """Every n-th unit of a plan.

    Attributes:
        number: Number of the part, from 1.
        total: Number of parts, n.
    """

    number: int = 1
    total: int = 1

    @classmethod
    def parse(cls, text: str | None) -> "Part":
        """Returns the part that `3/100` stands for; None: the whole plan.

        Raises:
            UserError: If it stands for none.
        """
        if text is None:
            return cls()
        match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
        part = cls(*map(int, match.groups())) if match else cls(0)
        if not 1 <= part.number <= part.total:
            raise UserError(
                "`part` must be a number and how many parts there are, e.g. "
                f"3/100, the first 1/100. Received: {text!r}"
            )
        return part

    def take(self, units: Sequence) -> list:
        """Returns the units of a plan that are in this part."""
        return [x for x in units if x.number % self.total == self.number - 1]

    def __str__(self):
        return f"{self.number}/{self.total}"
