"""Range of the samples of a set of photos: found in the set, or given."""

from collections.abc import Mapping
from types import MappingProxyType

from thaw.data.inspect_worker import Inspection
from thaw.data.photos import Photos
from thaw.errors import UserError, shown
from thaw.pixel_range import EIGHT_BITS, FLOAT, INTEGER, KINDS, PixelRange

_OF_INTEGERS = tuple(PixelRange(0, 2**x - 1) for x in (8, 10, 12, 14, 16))
_OF_FLOATS = tuple(PixelRange(0, x) for x in (1, 255, 65535))
_SIGNED = PixelRange(-1, 1)
_DIM = 1 / 8  # of the range; a photo that stays below is nearly black
_MOST_DIM = 1 / 4  # of the photos
_TOP = 7 / 8  # of a smaller range; photos mostly reach that of their own
_MOST_AT_TOP = 2 / 3  # of the photos that fit into a smaller range
_GROUPS_SHOWN = 5


def choose_ranges(
    photos: Photos,
    given: PixelRange | None = None,
    before: Mapping[str, PixelRange] = MappingProxyType({}),
) -> dict[str, PixelRange]:
    """Returns what becomes black and white in a set, by kind of samples.

    Of integers it is the smallest of 8, 10, 12, 14 and 16 bits that holds the
    values of all photos; of floats, [0, 1], [-1, 1], [0, 255] or [0, 65535],
    where the values reach beyond a quarter of it, of [-1, 1] downwards.
    Photos of 8 bits stay as they are.

    A dark photo fits into fewer bits than its set, too. So the set is taken
    for a mixture where a quarter of the photos would be nearly black, or where
    two thirds of those that fit into a smaller range (at least two) end right
    below its white; and where photos of 8 bits are among integers of 10, 12
    or 14.

    Args:
        photos: All photos that can be used, inspected.
        given: Range for all of them, or None.
        before: Ranges that a model was trained with, which goes on.

    Raises:
        UserError: If there is more than one reading, or none.
    """
    if given is not None:
        return dict.fromkeys(KINDS, given)
    rows_of = {kind: rows_of_kind(photos, kind) for kind in KINDS}
    rows_of = {kind: rows for kind, rows in rows_of.items() if rows}
    ranges = {
        kind: before.get(kind) or _choose(photos, kind, rows)
        for kind, rows in rows_of.items()
        if kind != EIGHT_BITS or kind in before
    }
    integers = ranges.get(INTEGER, _OF_INTEGERS[-1])
    if (
        len(rows_of) > 1
        and integers in _OF_INTEGERS[1:-1]
        and not {*rows_of} <= {*before}
    ):
        groups = [
            (name_range(kind, ranges.get(kind)), rows)
            for kind, rows in rows_of.items()
        ]
        raise UserError(
            "The photos have different sample "
            f"types:\n{_list(photos, groups)}\nConvert them to one type. Or, "
            "if all values share one scale, give it, e.g. "
            f"`pixel_range={integers}`"
        )
    return ranges


def smallest_range(
    kind: str, lowest: float, highest: float
) -> PixelRange | None:
    """Returns the smallest usual range that holds values, None: there is none.

    Args:
        kind: `INTEGER` or `FLOAT`.
        lowest, highest: The values.
    """
    usual, reach = _OF_INTEGERS, highest
    if kind == FLOAT:
        usual = _OF_FLOATS
        if lowest < 0:
            usual, reach = (_SIGNED,), -lowest
    found = next((x for x in usual if x.holds(lowest, highest)), None)
    if kind == FLOAT and found and reach <= found.high / 4:
        return None  # they aren't meant so: it would take most levels away
    return found


def name_range(kind: str, pixel_range: PixelRange | None) -> str:
    """Returns a name, e.g. `12 bits in 16`; of None, for none of the usual."""
    if kind == EIGHT_BITS:
        return "8 bits"
    if pixel_range is None:
        return "floats in no usual range"
    if pixel_range not in _OF_INTEGERS:
        return f"{kind}s in {pixel_range}"
    bits = int(pixel_range.high).bit_length()
    return f"{bits} bits in 16" if bits < 16 else "16 bits"


def rows_of_kind(photos: Photos, kind: str) -> list[int]:
    """Returns the rows of inspected photos whose samples are of a kind."""
    found = enumerate(photos.inspections)
    return [row for row, x in found if x.samples == kind]


def is_dim(inspection: Inspection, pixel_range: PixelRange) -> bool:
    """Returns whether a photo of more than 8 bits would be nearly black."""
    above_black = inspection.highest - pixel_range.low
    return above_black < _DIM * pixel_range.width


def _choose(photos, kind, rows):
    found = [photos.inspections[row] for row in rows]
    lowest = min(x.lowest for x in found)
    highest = max(x.highest for x in found)
    pixel_range = smallest_range(kind, lowest, highest)
    if pixel_range is None:
        raise UserError(
            f"The values of {len(rows):,} photos with {kind} samples go from "
            f"{lowest:,.6g} to {highest:,.6g}, e.g. "
            f"{shown(photos.paths[rows[0]])}. Give the values that are black "
            "and white: `pixel_range=low:high`, e.g. "
            f"`pixel_range={PixelRange(lowest, highest)}`"
        )
    if _is_mixture(found, kind, pixel_range):
        groups = _groups(photos, kind, rows)
        raise UserError(
            "The photos have different value "
            f"ranges:\n{_list(photos, groups)}\nConvert them to one range. "
            "Or, if one range fits all (some are dark, or hold stray "
            f"values), give it, e.g. `pixel_range={pixel_range}`"
        )
    return pixel_range


def _is_mixture(found, kind, pixel_range):
    """Returns whether some photos seem to be of a smaller range than others."""
    usual = _OF_INTEGERS if kind == INTEGER else _OF_FLOATS
    whites = [x.high for x in usual if x.high < pixel_range.high]
    fitting = [x for x in found if x.highest <= max(whites, default=-1)]
    at_top = sum(
        any(_TOP * white <= x.highest <= white for white in whites)
        for x in fitting
    )
    few_levels = sum(is_dim(x, pixel_range) for x in fitting)
    if pixel_range == _SIGNED:  # of [0, 1] it would leave half of the levels
        few_levels = sum(x.lowest >= 0 for x in found)
    return (few_levels >= 2 and few_levels >= _MOST_DIM * len(found)) or (
        at_top >= 2 and at_top >= _MOST_AT_TOP * len(fitting)
    )


def _groups(photos, kind, rows):
    """Returns name and rows of the photos of each range, the most first."""
    groups = {}
    for row in rows:
        x = photos.inspections[row]
        own = smallest_range(kind, x.lowest, x.highest)
        groups.setdefault(name_range(kind, own), []).append(row)
    return sorted(groups.items(), key=lambda group: -len(group[1]))


def _list(photos, groups):
    return "\n".join(
        f"  {len(rows):,} of {name}, e.g. {shown(photos.paths[rows[0]])}"
        for name, rows in groups[:_GROUPS_SHOWN]
    )
