"""Durations as text, e.g. 90s, 10m or 1h."""

import re

from thaw.errors import UserError

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h)?")
_SECONDS = {None: 1, "s": 1, "m": 60, "min": 60, "h": 3600}


def parse_duration(text: str) -> float:
    """Returns the seconds of e.g. `90s`, `10m`, `1.5h` or `600`.

    Raises:
        UserError: If it is no duration.
    """
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None or not float(match[1]):
        raise UserError(
            "`budget` must be a duration, e.g. 90s, 10m or 1h. Received: "
            f"{text!r}"
        )
    return float(match[1]) * _SECONDS[match[2]]
