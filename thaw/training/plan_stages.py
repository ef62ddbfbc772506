"""What the flags of train.py amount to: rates, stages, settings."""

import functools

from thaw.cli import train_flags as given
from thaw.errors import UserError

_OPTIMIZER_NUMBERS = {
    "rmsprop": ("rho", "momentum"),
    "adam": ("beta_1", "beta_2"),
    "adamw": ("beta_1", "beta_2"),
    "sgd": ("momentum",),
}


def learning_rates():
    """Returns (rate, layer decay) of the head stage and of the fine-tune one.

    A rate of None is to be found.

    Raises:
        UserError: If the flags do not say.
    """
    head_rates = read_rates(given.HEAD_LEARNING_RATE)
    lowest, rate = read_rates(given.LEARNING_RATE)
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


def read_rates(flag):
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


def plan_stages(unfreeze_from, mixed=False):
    """Returns the stages that the flags ask for, in order.

    Args:
        unfreeze_from: Unfreeze point.
        mixed: Whether each pass makes new photos.
    """
    from thaw.training.stage import Stage

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
            one_view=given.EPOCHS.value > 0 and not mixed,
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
    from thaw.training import schedules

    schedule = getattr(schedules, name.value)
    if schedule is schedules.one_cycle:
        return functools.partial(schedule, peak_at=peak_at.value, div=div)
    return schedule


def settings(labels, num_classes, steps_per_epoch, mix=None):
    """Returns the `Settings` that all stages share.

    Args:
        labels: Of the photos to train on, int (N,).
        num_classes: Number of classes.
        steps_per_epoch: Steps per epoch.
        mix: `augment.Mixes`, or None.
    """
    import keras
    import numpy as np

    from thaw.training.losses import crossentropy
    from thaw.training.stage import Settings

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
        loss=crossentropy(
            num_classes,
            given.LABEL_SMOOTHING.value,
            mixed=mix is not None and mix.num_targets is not None,
        ),
        mix=mix,
        class_weight=class_weight,
        early_stopping=given.EARLY_STOPPING.value,
        train_batch_norm=given.TRAIN_BATCH_NORM.value,
    )
