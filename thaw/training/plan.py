"""What the flags of train.py amount to: model, augmentation, cache."""

from model_zoo import backbones
from thaw.cli import train_flags as given
from thaw.errors import UserError
from thaw.training import plan_stages

_SMALL_ROTATION = 10.0  # degrees, of --augment=flip_rotate


def check_flags():
    """Raises a `UserError` if flags contradict each other."""
    plan_stages.learning_rates()
    plan_stages.optimizer_numbers()
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
    from thaw.cache.folder import CacheFolder
    from thaw.cached_folder import default_cache_dir

    path = given.CACHE_DIR.value or default_cache_dir() / "features"
    try:
        return CacheFolder(
            path, limit_bytes=int(given.CACHE_LIMIT_GB.value * 1e9)
        )
    except OSError as error:
        print(f"Cache off: cannot write to {path}: {error.strerror}")
        return None
