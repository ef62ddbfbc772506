"""Photos for a finished run, read by the range of its training photos."""

import dataclasses
from collections.abc import Mapping

from thaw.data.bit_depth import smallest_range
from thaw.data.inspect_worker import Inspection
from thaw.data.photos import Photos
from thaw.pixel_range import EIGHT_BITS, FLOAT, PixelRange


def photos_as_trained(
    photos: Photos, ranges: Mapping[str, PixelRange] | None
) -> Photos:
    """Returns inspected photos as a run reads them, never by their own range.

    Args:
        photos: Inspected photos.
        ranges: As in `inspection_as_trained`.
    """
    inspections = (inspection_as_trained(x, ranges) for x in photos.inspections)
    return dataclasses.replace(
        photos, inspections=tuple(inspections), pixel_ranges=ranges or {}
    )


def inspection_as_trained(
    inspection: Inspection, ranges: Mapping[str, PixelRange] | None
) -> Inspection:
    """Returns an inspection, bad if the run can't know how to read the photo.

    Samples of a kind that the training photos didn't have are used where one
    reading is left: of integers, where they need all 16 bits.

    Args:
        inspection: Inspection of a photo.
        ranges: Ranges of the training photos by kind of samples; None: they
            weren't recorded, by an older version.
    """
    kind = inspection.samples
    known = ranges is None or kind in (EIGHT_BITS, *ranges)
    if known or inspection.reason is not None:
        return inspection
    found = smallest_range(kind, inspection.lowest, inspection.highest)
    if found and found.low == 0 and (kind == FLOAT or found.high == 65535):
        return inspection
    return inspection._replace(
        reason=f"{kind} samples, unlike the training photos (values up to "
        f"{inspection.highest:,.6g}); save it with 8 bits"
    )
