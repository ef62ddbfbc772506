"""Names of classes: their order, and those that are nearly the same."""

import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from fractions import Fraction

from thaw.errors import UserError

_PREDICTION_COLUMNS = ("path", "predicted", "probability")
_NUMBER = re.compile(r"[+-]?[0-9]{1,99}(\.[0-9]{1,99})?")


def are_numbers(names: Iterable[str]) -> bool:
    """Returns whether all names are numbers, e.g. 0 or -1.5."""
    return all(map(_NUMBER.fullmatch, names))


def sorted_names(names: Iterable[str]) -> tuple[str, ...]:
    """Returns names in order; where all are numbers, by value: 0, 2, 10."""
    names = sorted(names)
    return tuple(sorted(names, key=Fraction) if are_numbers(names) else names)


def composed(name: str) -> str:
    """Returns a name in Unicode's form NFC; macOS may write it in NFD."""
    return unicodedata.normalize("NFC", name)


def check_class_name(name: str) -> None:
    """Raises a `UserError` if a class can't have this name."""
    if name in _PREDICTION_COLUMNS:
        raise UserError(
            f"A class can't be called '{name}': predictions have a column of "
            "that name. Rename it."
        )
    try:
        name.encode()
    except UnicodeEncodeError:
        raise UserError(
            f"The name of the class {os.fsencode(name)!r} is not valid UTF-8. "
            "Rename it."
        ) from None
    if not name.isprintable():
        raise UserError(
            f"The name of the class {name!r} contains control characters. "
            "Rename it."
        )


def describe_similar(counts: Mapping[str, int]) -> list[str]:
    """Returns lines on names that may well be meant as one.

    Args:
        counts: Number of photos of each class, by its name.

    Returns:
        E.g. `Bee and bee differ only by case: 40 and 2 photos`.
    """
    groups = {}
    for name in counts:
        groups.setdefault(_reduced(name, _DIFFERENCES), []).append(name)
    return [_describe(x, counts) for x in groups.values() if len(x) > 1]


def _without_spaces(name):
    return "".join(name.split())


def _compatible(name):
    return unicodedata.normalize("NFKC", name)


def _value(name):
    return str(Fraction(name)) if are_numbers([name]) else name


_DIFFERENCES = {  # what each leaves out of a name
    "spaces": _without_spaces,
    "Unicode form": _compatible,
    "case": str.casefold,
    "number format": _value,
}


def _reduced(name, differences):
    for difference in differences:
        name = _DIFFERENCES[difference](name)
    return name


def _describe(names, counts):
    needed = list(_DIFFERENCES)
    for difference in _DIFFERENCES:
        others = [x for x in needed if x != difference]
        if len({_reduced(name, others) for name in names}) == 1:
            needed = others
    words = [f"'{x}'" for x in names] if "spaces" in needed else names
    numbers = [f"{counts[name]:,}" for name in names]
    return (
        f"{_enumerate(words)} differ only by {_enumerate(needed)}: "
        f"{_enumerate(numbers)} photos"
    )


def _enumerate(words):
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
