"""The photos of train.py: found, checked, made to views, or gone."""

import dataclasses
import difflib
import os
from collections import Counter
from pathlib import Path

from model_zoo import listing
from thaw.cli import app
from thaw.cli import train_flags as given
from thaw.errors import UserError
from thaw.progress import Progress
from thaw.training.plan import make_augmentation


def load_photos():
    """Returns the photos, as `thaw.data.split.load_photos` does."""
    from thaw.cached_folder import default_cache_dir
    from thaw.data import files, named_sets, split
    from thaw.demo import demo_set

    data = given.DATA.value
    names = ("demo", *named_sets.NAMED_SETS)
    near = difflib.get_close_matches(data.lower(), names, n=1, cutoff=0.7)
    if near and data != near[0] and not Path(data).exists():
        raise UserError(
            f"--data: there is no folder {data}. Did you mean {near[0]}? "
            f"(Sets by name: {', '.join(names)})"
        )
    if data in named_sets.NAMED_SETS and not Path(data).exists():
        with app.without_startup_remarks():  # it imports Keras
            data = named_sets.load_named_set(data, default_cache_dir())
    if data == "demo":
        data = demo_set.load_demo_set(default_cache_dir())
        print(
            "These are drawn photos, the demo set. With photos of yours and "
            "ImageNet weights: python train.py --data=FOLDER"
        )
    indices = split.load_photos(
        data,
        given.VALIDATION_DATA.value,
        given.LIMIT.value,
        given.SEED.value,
        given.LABEL_REGEX.value or None,
    )
    for photos in indices:
        if photos.passed_over:
            others = files.describe_passed_over(photos.passed_over)
            print(f"Passed over: {others}")
    # What is written of them holds from any folder.
    return [
        dataclasses.replace(
            photos, paths=tuple(os.path.abspath(path) for path in photos.paths)
        )
        for photos in indices
    ]


def check_photos(indices):
    """Looks at every photo once; returns those that can be used.

    Args:
        indices: `PhotoIndex` of all photos, or of those to train and to
            validate on.

    Returns:
        (`PhotoIndex`, `Contents`) of each side, copies in both moved to the
        first; the (path, reason) of what is left out; and how many photos
        something is odd about, by what.

    Raises:
        UserError: If more cannot be used than --skip_bad lets pass.
    """
    from thaw.data import inspection_cache, quality, quality_report, splits

    paths = [path for photos in indices for path in photos.paths]
    progress = Progress(len(paths))
    checked = inspection_cache.check_contents(
        paths, inspection_cache.default_memo(), given.MAX_PIXELS.value, progress
    )
    progress.end()
    bad = quality_report.bad_photos(checked)
    if bad:
        message = quality_report.describe_bad(checked)
        if len(bad) / len(paths) > given.SKIP_BAD.value:
            raise UserError(
                f"{message}\nRepair or remove them, or go on without them: "
                f"--skip_bad. All of them: python doctor.py {given.DATA.value}"
            )
        print(f"{message}\nThe run goes on without them.")
    both = splits.make_sides(
        splits.usable_sides(indices, checked),
        given.VALIDATION_FRACTION.value,
        given.SEED.value,
    )
    doubted = quality.find_doubts(both)
    if doubted:
        table = quality_report.summary_table([], doubted, paths)
        print(listing.format_table(table))
    both = splits.separate(*both)
    print(quality_report.describe_counts([photos for photos, _ in both]))
    uneven = quality_report.describe_balance(both[0][0])
    if uneven and given.CLASS_WEIGHTS.value == "none":
        print(uneven)
    found = Counter(doubt.kind for doubt in doubted)
    if bad:
        found["left out, cannot be used"] = len(bad)
    return both, bad, dict(found)


def make_views(model, train_side, validation_side):
    """Returns the `PhotoViews` to train and to validate on.

    Args:
        model: Model of `build_model`.
        train_side, validation_side: `PhotoIndex` and `Contents` of each.
    """
    from model_zoo import preprocessing
    from thaw.data.datasets import PhotoViews

    image_size = model.get_layer("resize").height
    in_serving = preprocessing.resizing_of(model)
    augment = make_augmentation(image_size)
    resize, source_size = in_serving, image_size
    if augment is not None:
        source_size = augment.source_size(image_size)
        resize = preprocessing.resizing_layer(source_size, given.RESIZE.value)
    train_photos, train_contents = train_side
    validation_photos, validation_contents = validation_side
    train_views = PhotoViews(
        train_photos,
        resize,
        source_size,
        seed=given.SEED.value,
        augment=augment,
        inspection_cache=train_contents,
    )
    val_views = PhotoViews(
        validation_photos,
        in_serving,
        image_size,
        inspection_cache=validation_contents,
    )
    return train_views, val_views
