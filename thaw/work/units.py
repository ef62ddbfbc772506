"""Units of work: some photos in one view, computed together or not at all."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

_UNITS_OF_WORKER = 4  # at least, so that all of them end at about one time
_MOST_PHOTOS = 2000  # in a unit: what is lost at most where a worker dies


class Unit(NamedTuple):
    """Some photos in one view.

    Attributes:
        number: Number of the unit in its plan.
        view: View of the photos, from 0.
        rows: Rows of the photos: a `range`, or ints where some between them
            are done already.
        source: Which photos, where there is more than one set.
    """

    number: int
    view: int
    rows: range | np.ndarray
    source: int = 0


def choose_size(
    num_photos: int, batch_size: int, workers: int, most: int = _MOST_PHOTOS
) -> int:
    """Returns the number of photos in a unit, a multiple of the batch size.

    Args:
        num_photos: Photos in all units.
        batch_size: Photos that are computed at a time.
        workers: How many share the units.
        most: Photos that a unit may have at most.
    """
    size = min(most, _MOST_PHOTOS, num_photos // (_UNITS_OF_WORKER * workers))
    return max(size - size % batch_size, batch_size)


def plan_units(
    missing: np.ndarray,
    size: int,
    first: int = 0,
    view: int = 0,
    source: int = 0,
) -> tuple[list[Unit], int]:
    """Returns the units of one view, and the number of the next unit.

    Which rows belong to a number doesn't depend on what is missing: processes
    that begin at different times share the same plan.

    Args:
        missing: Which photos are to be computed, bool (N,).
        size: Photos in a unit.
        first: Number of the first unit.
        view, source: As in `Unit`.
    """
    units = []
    starts = range(0, len(missing), size)
    for number, start in enumerate(starts, first):
        of_unit = missing[start : start + size]
        rows: range | np.ndarray = range(start, start + len(of_unit))
        if not of_unit.all():
            rows = start + np.flatnonzero(of_unit)
        if len(rows):
            units.append(Unit(number, view, rows, source))
    return units, first + len(starts)


def count_photos(units: Sequence[Unit]) -> int:
    """Returns the number of photos in some units."""
    return sum(len(unit.rows) for unit in units)
