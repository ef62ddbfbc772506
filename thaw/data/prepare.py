"""Photos of a run: found, inspected, split."""

import contextlib
import dataclasses
import difflib
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from model_zoo.own_model import keep_order
from thaw.atomic import default_cache_dir
from thaw.data import bit_depth, named_sets, quality, quality_report
from thaw.data.as_trained import photos_as_trained
from thaw.data.files import describe_skipped
from thaw.data.groups import group_all, join_groups, rows_of_shared_groups
from thaw.data.inspect import inspect_together, started
from thaw.data.inspection_cache import default_memo
from thaw.data.label_options import LabelOptions
from thaw.data.load import load_photos
from thaw.data.photos import Photos
from thaw.data.split import limit_per_class, move_duplicates, split_photos
from thaw.demo.demo_set import load_demo_set
from thaw.errors import UserError
from thaw.pixel_range import PixelRange
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
        config: Object with `data`, `validation_data`, `limit`, `seed` and
            those in `LabelOptions` of `TrainConfig`.
        first_classes: Names of the classes that come first, in order, where
            there are photos of them.

    Raises:
        UserError: If there is nothing sensible to train on.
    """
    found = load_photos(
        find_data(config.data),
        config.validation_data,
        **LabelOptions.of_config(config)._asdict(),
    )
    found = group_all([photos for photos in found if photos is not None])
    if first_classes:
        # Before anything is drawn by label: the split of these classes is
        # that of the run before, where the photos are the same.
        class_names = keep_order(first_classes, found[0].class_names)
        found = [photos.with_class_names(class_names) for photos in found]
    similar = quality_report.describe_similar(found[0])
    if similar:
        say(similar)
    if config.limit is not None:
        found = [limit_per_class(x, config.limit, config.seed) for x in found]
    for photos in found:
        if photos.skipped:
            say(f"Skipped: {describe_skipped(photos.skipped)}")
        for note in photos.notes:
            say(note)
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
    data = os.path.expanduser(data)
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


def start_inspection(
    found: Sequence[Photos], config
) -> contextlib.AbstractContextManager[Callable[[], list[Photos]]]:
    """Starts inspecting the photos of a run, as `inspect.started`.

    Args:
        found: Of `find_photos`.
        config: Object with `max_pixels` of `TrainConfig`.
    """
    return started(found, default_memo(), config.max_pixels)


def inspect_and_split(
    inspect: Callable[[], list[Photos]],
    config,
    ranges_before: Mapping[str, PixelRange] = MappingProxyType({}),
) -> Splits:
    """Returns the photos that can be used, split; duplicates train.

    Args:
        inspect: Function of `start_inspection`.
        config: Object with `data`, `skip_bad`, `seed`, `validation_fraction`,
            `rare_classes`, `class_weights` and `pixel_range` of `TrainConfig`.
        ranges_before: `before` of `bit_depth.choose_ranges`.

    Raises:
        UserError: If more cannot be used than `skip_bad` allows, a class has
            too few photos, or it isn't clear what black and white are.
    """
    inspected = inspect()
    usable, bad = _take_usable(
        inspected,
        config.skip_bad,
        "Repair or remove them, or skip them: `skip_bad`. All of them: "
        f"python doctor.py {config.data}",
    )
    option = config.pixel_range
    given = None if option is None else PixelRange.parse(option)
    ranges, range_line = choose_set_ranges(usable, given, ranges_before)
    if range_line:
        say(range_line)
    usable = [dataclasses.replace(x, pixel_ranges=ranges) for x in usable]
    splits = split_photos(
        join_groups(usable),
        config.validation_fraction,
        config.seed,
        config.rare_classes,
    )
    issues = quality.find_issues(splits)
    if issues:
        paths = [path for photos in inspected for path in photos.paths]
        say(quality_report.describe_issues([], issues, paths))
    train, validation = move_duplicates(*splits)
    say(quality_report.describe_counts([train, validation]))
    if train.groups:
        say(quality_report.describe_groups(train, validation))
    uneven = quality_report.describe_balance(train)
    if uneven and config.class_weights == "none":
        say(uneven)
    counts = Counter(issue.kind for issue in issues)
    if bad:
        counts["cannot be used (skipped)"] = len(bad)
    leaking = len(rows_of_shared_groups(train, validation))
    if leaking:
        counts["validation photos of groups in both splits"] = leaking
    return Splits(train, validation, bad, dict(counts))


def choose_set_ranges(
    splits: Sequence[Photos],
    given: PixelRange | None,
    before: Mapping[str, PixelRange] = MappingProxyType({}),
) -> tuple[dict[str, PixelRange], str]:
    """Returns what becomes black and white in all splits, and lines on it.

    Args:
        splits: Inspected photos that can be used.
        given, before: As in `bit_depth.choose_ranges`.

    Returns:
        Ranges as of `bit_depth.choose_ranges`, and text, which may be empty.

    Raises:
        UserError: If it isn't clear.
    """
    photos = sum(splits[1:], splits[0])
    ranges = bit_depth.choose_ranges(photos, given, before)
    is_given = given is not None
    return ranges, quality_report.describe_ranges(photos, ranges, is_given)


def inspect_usable(
    photos: Photos,
    *,
    max_pixels: int,
    most_bad: float,
    way_out: str,
    pixel_ranges: Mapping[str, PixelRange] | None = None,
    memo: str | Path | None = None,
) -> tuple[Photos, list[tuple[str, str]]]:
    """Returns the photos that can be used, and path and reason of the others.

    Args:
        photos: Photos.
        max_pixels: Photos with more pixels cannot be used.
        most_bad: Largest share of bad photos to skip, in [0, 1].
        way_out: Advice where there are more, or no photo can be used.
        pixel_ranges: `Run.pixel_ranges` of the run that the photos are for.
        memo: As in `inspect.inspect_photos`; None: the user's.

    Raises:
        UserError: If more cannot be used, or none can.
    """
    inspected = inspect_together([photos], memo or default_memo(), max_pixels)
    inspected = [photos_as_trained(x, pixel_ranges) for x in inspected]
    (usable,), bad = _take_usable(inspected, most_bad, way_out)
    outside = quality_report.find_outside(usable, usable.pixel_ranges)
    if outside:
        warn(quality_report.describe_outside(outside, len(usable)))
    return usable, bad


def _take_usable(inspected, most_bad, way_out):
    """Returns the photos that can be used, and the others, of each split."""
    bad = [x for photos in inspected for x in photos.bad()]
    if bad:
        total = sum(map(len, inspected))
        text = quality_report.describe_bad(bad, total)
        if len(bad) / total > most_bad or len(bad) == total:
            raise UserError(f"{text}\n{way_out}")
        warn(f"{text}\nThey are skipped.")
    return [photos.usable() for photos in inspected], bad
