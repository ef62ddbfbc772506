"""What the flags of train.py amount to: arguments, stages, settings."""

import functools
import importlib.util

import train_flags as given
from errors import UserError
from model_zoo import backbones

_SMALL_ROTATION = 10.0  # degrees, of --augment=flip_rotate
_OPTIMIZER_NUMBERS = {
    "rmsprop": ("rho", "momentum"),
    "adam": ("beta_1", "beta_2"),
    "adamw": ("beta_1", "beta_2"),
    "sgd": ("momentum",),
}


def check_flags():
    """Raises a `UserError` if flags contradict each other."""
    learning_rates()
    optimizer_numbers()
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
        "cut_at": given.CUT_AT.value,
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


def learning_rates():
    """Returns (rate, layer decay) of the head stage and of the fine-tune one.

    A rate of None is to be found.

    Raises:
        UserError: If the flags do not say.
    """
    head_rates = _read_rates(given.HEAD_LEARNING_RATE)
    lowest, rate = _read_rates(given.LEARNING_RATE)
    if head_rates[0] != head_rates[1]:
        raise UserError(
            "--head_learning_rate: the head is one group of layers. Give one "
            f"number. Received: {given.HEAD_LEARNING_RATE.value!r}"
        )
    decay = given.LAYER_DECAY.value
    if lowest != rate:
        if decay != 1:
            raise UserError(
                "Give --layer_decay or --learning_rate=A:B, not both."
            )
        # fastai's text on this says "evenly"; its code, and so this, spaces
        # the rates of its three groups geometrically.
        decay = (lowest / rate) ** 0.5
    return (head_rates[1], 1.0), (rate, decay)


def _read_rates(flag):
    """Returns (A, B) of A:B, the same number twice of A, None of `find`."""
    if flag.value == "find":
        return None, None
    texts = flag.value.split(":")
    try:
        rates = [float(text) for text in texts]
    except ValueError:
        rates = []
    if not 1 <= len(rates) <= 2 or not all(1e-12 <= x <= 100 for x in rates):
        raise UserError(
            f"--{flag.name} must be a number from 1e-12 to 100, A:B (from the "
            f"lowest layers to the head) or find. Received: {flag.value!r}"
        )
    lowest, rate = rates[0], rates[-1]
    if lowest > rate:
        raise UserError(
            f"--{flag.name}: the lowest layers learn slowest, so A:B needs "
            f"A < B. Received: {flag.value!r}. Did you mean "
            f"{texts[1]}:{texts[0]}?"
        )
    return lowest, rate


def optimizer_numbers():
    """Returns the numbers of the optimizer that were given, by name.

    Raises:
        UserError: If the optimizer does not have one of them.
    """
    numbers = {
        flag.name: flag.value
        for flag in (given.MOMENTUM, given.RHO, given.BETA_1, given.BETA_2)
        if flag.value is not None
    }
    for name in numbers:
        fitting = [x for x, own in _OPTIMIZER_NUMBERS.items() if name in own]
        if given.OPTIMIZER.value not in fitting:
            raise UserError(
                f"--{name} is a number of {' and '.join(fitting)}. Received: "
                f"--optimizer={given.OPTIMIZER.value}"
            )
    return numbers


def plan_stages(unfreeze_from):
    """Returns the stages that the flags ask for, in order."""
    from training.stages import Stage

    (head_rate, _), (rate, layer_decay) = learning_rates()
    solver = None if given.HEAD.value == "dense" else given.HEAD.value
    planned = [
        Stage(
            "head",
            "none",
            1 if solver else given.HEAD_EPOCHS.value,  # solved in one pass
            head_rate,
            schedule=_schedule(given.HEAD_SCHEDULE, given.HEAD_PEAK_AT, 25.0),
            solver=solver,
            one_view=given.EPOCHS.value > 0,
        ),
        Stage(
            "fine_tune",
            unfreeze_from,
            given.EPOCHS.value,
            rate,
            layer_decay,
            _schedule(given.SCHEDULE, given.PEAK_AT, given.DIV.value),
        ),
    ]
    # A stage without epochs may still look for its rate.
    return [x for x in planned if x.epochs or x.looks_for_its_rate]


def _schedule(name, peak_at, div):
    from training import schedules

    schedule = getattr(schedules, name.value)
    if schedule is schedules.one_cycle:
        return functools.partial(schedule, peak_at=peak_at.value, div=div)
    return schedule


def settings(labels, num_classes, steps_per_epoch):
    """Returns the `Settings` that all stages share.

    Args:
        labels: Of the photos to train on, int (N,).
        num_classes: Number of classes.
        steps_per_epoch: Steps per epoch.
    """
    import keras
    import numpy as np

    from training.losses import smoothed_loss
    from training.stages import Settings

    make_optimizer = {
        "rmsprop": keras.optimizers.RMSprop,
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "sgd": keras.optimizers.SGD,
    }[given.OPTIMIZER.value]
    class_weight = None
    if given.CLASS_WEIGHTS.value == "balanced":
        counts = np.bincount(labels, minlength=num_classes)
        weights = len(labels) / (num_classes * counts)
        class_weight = dict(enumerate(weights.tolist()))
    return Settings(
        batch_size=given.BATCH_SIZE.value,
        steps_per_epoch=steps_per_epoch,
        make_optimizer=functools.partial(make_optimizer, **optimizer_numbers()),
        loss=smoothed_loss(num_classes, given.LABEL_SMOOTHING.value),
        class_weight=class_weight,
        early_stopping=given.EARLY_STOPPING.value,
        train_batch_norm=given.TRAIN_BATCH_NORM.value,
    )
