"""What the flags of train.py amount to: model, photos, views, cache."""

import difflib
import importlib.util
from pathlib import Path

import command_line
import train_flags as given
import train_stages
from errors import UserError
from model_zoo import backbones, listing

_SMALL_ROTATION = 10.0  # degrees, of --augment=flip_rotate


def check_flags():
    """Raises a `UserError` if flags contradict each other."""
    train_stages.learning_rates()
    train_stages.optimizer_numbers()
    if not (
        given.HEAD_EPOCHS.value
        or given.EPOCHS.value
        or given.HEAD.value != "dense"
        or "find" in (given.LEARNING_RATE.value, given.HEAD_LEARNING_RATE.value)
    ):
        raise UserError(
            "Nothing to train: --head_epochs and --epochs are 0. (With "
            "--learning_rate=find, that draws lr_find.png.)"
        )
    mixing = " ".join(x for x in _mixing_flags() if x != "--randaugment")
    if mixing and given.BATCH_SIZE.value < 2:
        raise UserError(
            f"{mixing} mixes the photos of a batch. Give --batch_size=2 at "
            "least."
        )
    if given.HEAD.value != "dense" and mixing:
        raise UserError(
            f"--head={given.HEAD.value} is solved on photos of one class each. "
            f"Leave out {mixing}, or take --head=dense --hidden_units=0."
        )
    if given.CLASS_WEIGHTS.value != "none" and mixing:
        raise UserError(
            "--class_weights weighs photos of one class each. Leave it out, or "
            f"{mixing}."
        )
    if given.HEAD.value != "dense" and not importlib.util.find_spec("sklearn"):
        raise UserError(
            f"--head={given.HEAD.value} needs scikit-learn: "
            "pip install scikit-learn"
        )
    if given.HEAD.value != "dense" and given.AUGMENT.value != "none":
        print(
            f"--head={given.HEAD.value} is solved on one augmented view of "
            "each photo; on the photos as they are: --augment=none"
        )


def model_arguments():
    """Returns the arguments of `build_model` that say what the base is."""
    demo = given.DATA.value == "demo"
    return {
        "backbone": given.BACKBONE.value
        or (backbones.TINY if demo else backbones.CLASSIC),
        "image_size": given.IMAGE_SIZE.value,
        "weights": given.WEIGHTS.value,
        "preprocess": given.PREPROCESS.value,
        "unfreeze_from": given.UNFREEZE_FROM.value,
        "cut_at": given.CUT_AT.value or None,
    }


def head_arguments():
    """Returns the arguments of `build_model` that say what the head is."""
    solved = given.HEAD.value != "dense"  # one Dense layer on the features
    return {
        "pooling": given.POOLING.value,
        "hidden_units": 0 if solved else given.HIDDEN_UNITS.value,
        "dropout": 0.0 if solved else given.DROPOUT.value,
    }


def load_photos():
    """Returns the photos to train and to validate on, and says how many."""
    from input_pipeline import demo_set, findings, named_sets, split
    from input_pipeline.cached_folder import default_cache_dir

    data = given.DATA.value
    names = ("demo", *named_sets.NAMED_SETS)
    near = difflib.get_close_matches(data.lower(), names, n=1, cutoff=0.7)
    if near and data != near[0] and not Path(data).exists():
        raise UserError(
            f"--data: there is no folder {data}. Did you mean {near[0]}? "
            f"(Sets by name: {', '.join(names)})"
        )
    if data in named_sets.NAMED_SETS and not Path(data).exists():
        with command_line.without_startup_remarks():  # it imports Keras
            data = named_sets.load_named_set(data, default_cache_dir())
    if data == "demo":
        data = demo_set.load_demo_set(default_cache_dir())
        print(
            "These are drawn photos, the demo set. With photos of yours and "
            "ImageNet weights: python train.py --data=FOLDER"
        )
    photos = split.load_photos(
        data,
        given.VALIDATION_DATA.value,
        given.VALIDATION_FRACTION.value,
        given.LIMIT.value,
        given.SEED.value,
        given.LABEL_REGEX.value or None,
    )
    print(findings.describe_counts(photos))
    return photos


def check_photos(sides):
    """Looks at every photo once; returns those that can be used.

    Args:
        sides: `PhotoIndex` of the photos to train and to validate on.

    Returns:
        (`PhotoIndex`, `Contents`) of each side, copies in both moved to the
        first, and the (path, reason) of what is left out.

    Raises:
        UserError: If more cannot be used than --skip_bad lets pass.
    """
    from input_pipeline import contents, doubts, duplicates, findings

    paths = [path for photos in sides for path in photos.paths]
    progress = command_line.Progress(len(paths))
    checked = contents.check_contents(
        paths, contents.default_memo(), given.MAX_PIXELS.value, progress
    )
    progress.end()
    bad = findings.bad_photos(checked)
    if bad:
        message = findings.describe_bad(checked)
        if len(bad) > given.SKIP_BAD.value * len(paths):
            raise UserError(
                f"{message}\nRepair or remove them, or go on without them: "
                f"--skip_bad. All of them: python doctor.py {given.DATA.value}"
            )
        print(f"{message}\nThe run goes on without them.")
    usable = contents.usable_sides(sides, checked)
    contents.check_classes(usable)
    doubted = doubts.find_doubts(usable)
    if doubted:
        table = findings.summary_table([], doubted, paths)
        print(listing.format_table(table))
    uneven = findings.describe_balance(usable[0][0])
    if uneven and given.CLASS_WEIGHTS.value == "none":
        print(uneven)
    return duplicates.separate(*usable), bad


def make_augmentation(image_size):
    """Returns the augmentation the flags ask for, or None.

    Args:
        image_size: Pixels a side of the views.
    """
    import augment

    seed = given.SEED.value
    if given.AUGMENT.value == "none":
        return None
    if given.AUGMENT.value == "crop":
        return augment.Crop(seed, image_size)
    if given.AUGMENT.value == "presize":
        return augment.Presize(seed, image_size)
    if given.AUGMENT.value == "flip_rotate":
        return augment.Affine(
            seed,
            rotation_range=_SMALL_ROTATION,
            width_shift_range=0.0,
            height_shift_range=0.0,
            shear_range=0.0,
            zoom_range=0.0,
        )
    return augment.Affine(
        seed,
        rotation_range=given.ROTATION_RANGE.value,
        width_shift_range=given.WIDTH_SHIFT_RANGE.value,
        height_shift_range=given.HEIGHT_SHIFT_RANGE.value,
        shear_range=given.SHEAR_RANGE.value,
        zoom_range=given.ZOOM_RANGE.value,
        horizontal_flip=given.HORIZONTAL_FLIP.value,
        fill_mode=given.FILL_MODE.value,
    )


def make_views(model, train_side, validation_side):
    """Returns the `PhotoViews` to train and to validate on.

    Args:
        model: Model of `build_model`.
        train_side, validation_side: `PhotoIndex` and `Contents` of each.
    """
    from input_pipeline.dataset import PhotoViews
    from model_zoo import preprocessing

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
        contents=train_contents,
    )
    val_views = PhotoViews(
        validation_photos,
        in_serving,
        image_size,
        contents=validation_contents,
    )
    return train_views, val_views


def _mixing_flags():
    """Returns the flags given that change whole batches, as text."""
    given_flags = (given.RANDAUGMENT, given.MIXUP, given.CUTMIX)
    return [f"--{flag.name}" for flag in given_flags if flag.value]


def make_mixes(num_classes):
    """Returns the `augment.Mixes` the flags ask for, or None."""
    import augment

    if not _mixing_flags():
        return None
    print(
        f"No features of training photos are kept: {' '.join(_mixing_flags())} "
        "makes new photos in each pass."
    )
    return augment.Mixes(
        given.SEED.value,
        num_classes,
        randaugment=given.RANDAUGMENT.value,
        mixup=given.MIXUP.value,
        cutmix=given.CUTMIX.value,
    )


def open_cache_folder():
    """Returns the `CacheFolder` the flags ask for, or None: no cache."""
    if not given.CACHE_VIEWS.value:
        return None
    from input_pipeline.cached_folder import default_cache_dir
    from training.cache_folder import CacheFolder

    path = given.CACHE_DIR.value or default_cache_dir() / "features"
    try:
        return CacheFolder(
            path, limit_bytes=int(given.CACHE_LIMIT_GB.value * 1e9)
        )
    except OSError as error:
        print(f"Cache off: cannot write to {path}: {error.strerror}")
        return None


def why_stopped(error, sides):
    """Returns the exit status of a run that an error ended, and why it did.

    Args:
        error: Ctrl-C, a loss that is no number, or TensorFlow's.
        sides: `PhotoIndex` and `Contents` of each side.

    Raises:
        Exception: `error` itself, where there is no plain word for it.
    """
    import numpy as np

    from input_pipeline.files import shown

    if isinstance(error, KeyboardInterrupt):
        return 130, "Stopped by Ctrl-C."
    if isinstance(error, FloatingPointError):
        return 1, str(error)
    changed = [
        contents.paths[row]
        for _, contents in sides
        for row in np.flatnonzero(
            ~contents.unchanged(np.arange(len(contents.paths)))
        )
    ]
    if not changed:
        raise error
    return 1, (
        f"{shown(changed[0])} has been changed or taken away since the run "
        "checked it. Leave the photos alone while it trains, and run again."
    )
