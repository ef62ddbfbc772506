"""Plan of a run: stages, views and settings, from its options."""

import dataclasses
import functools
import math
from collections.abc import Callable

import keras
import numpy as np

import augment
from model_zoo import preprocessing
from thaw.cache.frozen_part import FrozenLayers
from thaw.config import TrainConfig
from thaw.data import datasets
from thaw.data.prepare import Splits
from thaw.data.resized import ResizedPhotos, has_room
from thaw.training import schedules
from thaw.training.losses import crossentropy
from thaw.training.stage import Settings, Stage, Views

_HEAD_DIV_FACTOR = 25.0
_OPTIMIZERS = {
    "rmsprop": keras.optimizers.RMSprop,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "sgd": keras.optimizers.SGD,
}


def make_stages(
    config: TrainConfig, model: keras.Model, unfreeze_from: str
) -> list[Stage]:
    """Returns the stages of a run, in order; their caches are still missing.

    Args:
        config: Options of the run.
        model: Model of `build_model`.
        unfreeze_from: Unfreeze point.
    """
    solver = None if config.head_kind == "dense" else config.head_kind
    stages = [
        Stage(
            model,
            "head",
            "none",
            1 if solver else config.head_epochs,  # solved in one pass
            config.head_learning_rate,
            schedule=_schedule(
                config.head_schedule,
                config.head_peak_fraction,
                _HEAD_DIV_FACTOR,
            ),
            solver=solver,
            augmented=False,
        ),
        Stage(
            model,
            "fine_tune",
            unfreeze_from,
            config.epochs,
            config.learning_rate,
            config.layer_decay,
            schedule_of(config),
            temperature=config.temperature,
        ),
    ]
    # A stage without epochs may still search for its learning rate.
    return [x for x in stages if x.epochs or x.finds_learning_rate]


def schedule_of(config: TrainConfig) -> Callable:
    """Returns the schedule of fine-tuning, of `thaw.training.schedules`."""
    return _schedule(config.schedule, config.peak_fraction, config.div_factor)


def _schedule(name, peak_fraction, div_factor):
    schedule = getattr(schedules, name)
    if schedule is schedules.one_cycle:
        return functools.partial(
            schedule, peak_fraction=peak_fraction, div_factor=div_factor
        )
    return schedule


def make_settings(
    config: TrainConfig,
    model: keras.Model,
    labels: np.ndarray,
    num_classes: int,
) -> Settings:
    """Returns the `Settings` that all stages of a run share.

    Args:
        config: Options of the run.
        model: Model of `build_model`.
        labels: Of the training photos, int (N,).
        num_classes: Number of classes.
    """
    mix = make_mixes(config, num_classes)
    class_weight = None
    if config.class_weights == "balanced":
        counts = np.bincount(labels, minlength=num_classes)
        weights = len(labels) / (num_classes * counts)
        class_weight = dict(enumerate(weights.tolist()))
    return Settings(
        frozen_layers=FrozenLayers(model, config.batch_size),
        batch_size=config.batch_size,
        steps_per_epoch=config.steps_per_epoch
        or math.ceil(len(labels) / config.batch_size),
        make_optimizer=functools.partial(
            _OPTIMIZERS[config.optimizer], **config.optimizer_arguments()
        ),
        loss=crossentropy(
            num_classes,
            config.label_smoothing,
            mixed=mix is not None and mix.num_targets is not None,
        ),
        mix=mix,
        class_weight=class_weight,
        early_stopping=config.early_stopping,
        train_batch_norm=config.train_batch_norm,
    )


def make_mixes(config: TrainConfig, num_classes: int):
    """Returns the `augment.Mixes` of the training batches, or None."""
    if not config.mixes_batches:
        return None
    return augment.Mixes(
        config.seed,
        num_classes,
        randaugment=config.randaugment,
        mixup=config.mixup,
        cutmix=config.cutmix,
    )


def make_views(
    config: TrainConfig, model: keras.Model, splits: Splits
) -> Views:
    """Returns the views of the photos.

    Args:
        config: Options of the run.
        model: Model of `build_model`.
        splits: Photos of both splits.
    """
    image_size = model.get_layer("resize").height
    resize = preprocessing.resizing_of(model)
    train, val = datasets.make_views(config, splits, image_size, resize)
    is_seen_twice = train.augment and config.epochs
    if is_seen_twice and has_room(len(train.photos), train.image_size):
        train = dataclasses.replace(train, kept=ResizedPhotos(train.image_size))
    return Views(train, _without_augmentation(train, val), val)


def _without_augmentation(train, val):
    """Returns the views of the training photos as they are."""
    if train.augment is None:
        return train
    if train.image_size == val.image_size:  # decoded once for both
        return dataclasses.replace(train, augment=None)
    return dataclasses.replace(val, photos=train.photos, seed=train.seed)
