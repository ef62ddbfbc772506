"""Bursts: photos that a camera took within seconds, by their EXIF times."""

import datetime
import itertools
import os
from typing import NamedTuple

from PIL import ExifTags, Image

from thaw.data.photos import Photos
from thaw.data.pixels import FORMATS, pillow_limits
from thaw.errors import shown
from thaw.progress import Progress

_GAP_SECONDS = 2
_MOST_PHOTOS = 50  # of a burst: else the camera's clock is not set


class _Shot(NamedTuple):
    camera: str
    seconds: float
    split: int
    path: str


def describe_bursts(train: Photos, validation: Photos) -> str | None:
    """Returns a line on bursts, if any are in both splits.

    Args:
        train, validation: Photos that can be used.
    """
    shots = _find_shots((train, validation))
    bursts, burst = [], shots[:1]
    for last, shot in itertools.pairwise(shots):
        same_camera = shot.camera == last.camera
        if not same_camera or shot.seconds - last.seconds > _GAP_SECONDS:
            bursts.append(burst)
            burst = []
        burst.append(shot)
    bursts.append(burst)
    bursts = [burst for burst in bursts if 2 <= len(burst) <= _MOST_PHOTOS]
    shared = [x for x in bursts if len({shot.split for shot in x}) == 2]
    if not shared:
        return None
    first, *_, last = (shown(os.path.basename(x.path)) for x in shared[0])
    return (
        f"EXIF times suggest {len(bursts):,} bursts, e.g. {first} to {last}, "
        f"{len(shared):,} of them in both splits. If so, keep each in one: "
        "`group_regex`, or a column group in a table"
    )


def _find_shots(splits):
    """Returns the photos with an EXIF time, those of a camera in order."""
    progress = Progress(sum(map(len, splits)), "read for EXIF times")
    shots, done = [], itertools.count(1)
    try:
        for split, photos in enumerate(splits):
            for path in photos.paths:
                if (taken := _when_taken(path)) is not None:
                    shots.append(_Shot(*taken, split, path))
                progress(next(done))
    finally:
        progress.clear()
    return sorted(shots)


def _when_taken(path: str) -> tuple[str, float] | None:
    """Returns camera and time of a photo as EXIF has them, or None."""
    try:
        with pillow_limits(), Image.open(path, formats=FORMATS) as image:
            exif = image.getexif()
            details = exif.get_ifd(ExifTags.IFD.Exif)
        text = str(details[ExifTags.Base.DateTimeOriginal])
        time = datetime.datetime.strptime(text[:19], "%Y:%m:%d %H:%M:%S")
    except Exception:  # broken EXIF may raise anything, and says nothing
        return None
    camera = [
        exif.get(x, "") for x in (ExifTags.Base.Make, ExifTags.Base.Model)
    ]
    return str(camera), time.replace(tzinfo=datetime.UTC).timestamp()
