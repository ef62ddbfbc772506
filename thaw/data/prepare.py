"""Photos of a run: found, inspected, split."""

import dataclasses
import difflib
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from model_zoo.own_model import keep_order
from thaw.atomic import default_cache_dir
from thaw.data import named_sets, quality, quality_report
from thaw.data.files import describe_skipped
from thaw.data.inspect import inspect_together
from thaw.data.inspection_cache import default_memo
from thaw.data.load import load_photos
from thaw.data.photos import Photos
from thaw.data.split import limit_per_class, move_duplicates, split_photos
from thaw.demo.demo_set import load_demo_set
from thaw.errors import UserError
from thaw.progress import say, warn


class Splits(NamedTuple):
    """Photos to train and to validate on.

    Attributes:
        train, validation: Inspected photos that can be used.
        bad: Path and reason of each photo that is skipped.
        quality: Number of photos with an issue, by its kind.
    """

    train: Photos
    validation: Photos
    bad: list[tuple[str, str]]
    quality: dict[str, int]


def find_photos(config, first_classes: Sequence[str] = ()) -> list[Photos]:
    """Returns the photos of a run: one `Photos`, or two where they are split.

    Their paths are absolute, so that they hold from any folder.

    Args:
        config: Object with `data`, `validation_data`, `label_regex`, `limit`
            and `seed` of `TrainConfig`.
        first_classes: Names of the classes that come first, in order, where
            there are photos of them.

    Raises:
        UserError: If there is nothing sensible to train on.
    """
    found = load_photos(
        find_data(config.data), config.validation_data, config.label_regex
    )
    found = [photos for photos in found if photos is not None]
    if first_classes:
        # Before anything is drawn by label: the split of these classes is
        # that of the run before, where the photos are the same.
        class_names = keep_order(first_classes, found[0].class_names)
        found = [photos.with_class_names(class_names) for photos in found]
    if config.limit is not None:
        found = [limit_per_class(x, config.limit, config.seed) for x in found]
    for photos in found:
        if photos.skipped:
            say(f"Skipped: {describe_skipped(photos.skipped)}")
    return [
        dataclasses.replace(photos, paths=tuple(map(_absolute, photos.paths)))
        for photos in found
    ]


def find_data(data: str | Path) -> str | Path:
    """Returns the folder, table or archive that the option `data` names.

    The demo set is drawn, and a named set downloaded, the first time.

    Raises:
        UserError: If it is a misspelt name, or cannot be downloaded.
    """
    data = os.fspath(data)
    names = ("demo", *named_sets.NAMED_SETS)
    near = difflib.get_close_matches(data.lower(), names, n=1, cutoff=0.7)
    if near and data != near[0] and not Path(data).exists():
        raise UserError(
            f"`data`: there is no folder {data}. Did you mean {near[0]}? "
            f"(Sets by name: {', '.join(names)})"
        )
    if data == "demo":
        say(
            "These are drawn photos, the demo set. With your own photos and "
            "ImageNet weights: `data=FOLDER`"
        )
        return load_demo_set(default_cache_dir())
    if data in names and not Path(data).exists():
        return named_sets.load_named_set(data, default_cache_dir())
    return data


def _absolute(path):
    return os.path.abspath(path)


def inspect_and_split(found: Sequence[Photos], config) -> Splits:
    """Returns the photos that can be used, split; duplicates train.

    Args:
        found: Of `find_photos`.
        config: Object with `data`, `max_pixels`, `skip_bad`, `seed`,
            `validation_fraction` and `class_weights` of `TrainConfig`.

    Raises:
        UserError: If more cannot be used than `skip_bad` allows, or a class
            has too few photos.
    """
    usable, bad = _inspect(
        found,
        default_memo(),
        config.max_pixels,
        config.skip_bad,
        "Repair or remove them, or skip them: `skip_bad`. All of them: "
        f"python doctor.py {config.data}",
    )
    splits = split_photos(usable, config.validation_fraction, config.seed)
    issues = quality.find_issues(splits)
    if issues:
        paths = [path for photos in found for path in photos.paths]
        say(quality_report.describe_issues([], issues, paths))
    train, validation = move_duplicates(*splits)
    say(quality_report.describe_counts([train, validation]))
    uneven = quality_report.describe_balance(train)
    if uneven and config.class_weights == "none":
        say(uneven)
    counts = Counter(issue.kind for issue in issues)
    if bad:
        counts["cannot be used (skipped)"] = len(bad)
    return Splits(train, validation, bad, dict(counts))


def inspect_usable(
    photos: Photos,
    *,
    max_pixels: int,
    most_bad: float,
    way_out: str,
    memo: str | Path | None = None,
) -> tuple[Photos, list[tuple[str, str]]]:
    """Returns the photos that can be used, and path and reason of the others.

    Args:
        photos: Photos.
        max_pixels: Photos with more pixels cannot be used.
        most_bad: Largest share of bad photos to skip, in [0, 1].
        way_out: Advice where there are more, or no photo can be used.
        memo: As in `inspect.inspect_photos`; None: the user's.

    Raises:
        UserError: If more cannot be used, or none can.
    """
    (usable,), bad = _inspect(
        [photos], memo or default_memo(), max_pixels, most_bad, way_out
    )
    return usable, bad


def _inspect(found, memo, max_pixels, most_bad, way_out):
    """Returns the same of several `Photos`, inspected in one go."""
    inspected = inspect_together(found, memo, max_pixels)
    bad = [x for photos in inspected for x in photos.bad()]
    if bad:
        total = sum(map(len, found))
        text = quality_report.describe_bad(bad, total)
        if len(bad) / total > most_bad or len(bad) == total:
            raise UserError(f"{text}\n{way_out}")
        warn(f"{text}\nThey are skipped.")
    return [photos.usable() for photos in inspected], bad
