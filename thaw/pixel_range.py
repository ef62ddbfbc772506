"""PixelRange: the values in a photo's file that become black and white."""

import math
from typing import NamedTuple

from thaw.errors import UserError

EIGHT_BITS, INTEGER, FLOAT = KINDS = ("8-bit", "integer", "float")  # of samples


class PixelRange(NamedTuple):
    """The values that become 0 and 255.

    Attributes:
        low, high: Numbers, `low` the smaller one.
    """

    low: float
    high: float

    @classmethod
    def parse(cls, text: str) -> "PixelRange":
        """Returns the range of a text such as `0:4095`.

        Raises:
            UserError: If it is none.
        """
        low, _, high = text.partition(":")
        try:
            found = cls(float(low), float(high))
        except ValueError:
            found = None
        if found is None or not -math.inf < found.low < found.high < math.inf:
            raise UserError(
                "`pixel_range` must be low:high, two numbers, e.g. 0:4095. "
                f"Received: {text!r}"
            )
        return found

    @property
    def width(self) -> float:
        """Difference of white and black."""
        return self.high - self.low

    def holds(self, lowest: float, highest: float) -> bool:
        """Returns whether values from `lowest` to `highest` lie in it."""
        return self.low <= lowest and highest <= self.high

    def __str__(self):
        return ":".join(repr(float(x)).removesuffix(".0") for x in self)
