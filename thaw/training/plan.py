"""From the options of a run to its stages, views and settings."""

import functools
import math

import keras
import numpy as np

import augment
from model_zoo import preprocessing
from thaw.atomic import default_cache_dir
from thaw.cache.folder import CacheFolder
from thaw.cache.plan import CacheSettings, plan_caches
from thaw.config import TrainConfig
from thaw.data import datasets
from thaw.data.prepare import Splits
from thaw.data.views import PhotoViews
from thaw.progress import say
from thaw.training import schedules
from thaw.training.losses import crossentropy
from thaw.training.stage import Settings, Stage

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
    solver = None if config.head == "dense" else config.head
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
            one_view=config.epochs > 0 and not config.mixes_batches,
        ),
        Stage(
            model,
            "fine_tune",
            unfreeze_from,
            config.epochs,
            config.learning_rate,
            config.layer_decay,
            _schedule(config.schedule, config.peak_fraction, config.div_factor),
        ),
    ]
    # A stage without epochs may still search for its learning rate.
    return [x for x in stages if x.epochs or x.finds_learning_rate]


def _schedule(name, peak_fraction, div_factor):
    schedule = getattr(schedules, name)
    if schedule is schedules.one_cycle:
        return functools.partial(
            schedule, peak_fraction=peak_fraction, div_factor=div_factor
        )
    return schedule


def make_settings(config: TrainConfig, labels: np.ndarray, num_classes: int):
    """Returns the `Settings` that all stages of a run share.

    Args:
        config: Options of the run.
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
) -> tuple[PhotoViews, PhotoViews]:
    """Returns the views to train on and to validate on.

    Args:
        config: Options of the run.
        model: Model of `build_model`.
        splits: Photos of both splits.
    """
    image_size = model.get_layer("resize").height
    resize = preprocessing.resizing_of(model)
    return datasets.make_views(config, splits, image_size, resize)


def give_caches(
    config: TrainConfig,
    stages: list[Stage],
    settings: Settings,
    views: tuple[PhotoViews, PhotoViews],
    device: str,
) -> None:
    """Opens the caches of the features that the stages train on.

    Args:
        config: Options of the run.
        stages: Stages of the run, which are given their caches.
        settings: Settings of the run.
        views: Views to train on and to validate on.
        device: Text of `thaw.device.prepare_device`.
    """
    if config.mixes_batches:
        names = ", ".join(f"`{name}`" for name in config.mixes_batches)
        say(f"Training features are not cached: {names} makes new views.")
    caches = plan_caches(
        stages,
        views,
        settings.photos_per_epoch,
        CacheSettings(
            folder=open_cache_folder(config),
            num_views=0 if config.mixes_batches else config.cache_views,
            dtype=config.cache_dtype,
            batch_size=config.batch_size,
            device=device,
        ),
    )
    for stage, (train_cache, val_cache) in zip(stages, caches, strict=True):
        stage.train_cache, stage.val_cache = train_cache, val_cache


def open_cache_folder(config: TrainConfig) -> CacheFolder | None:
    """Returns the folder of cached features, None if there is no cache."""
    if not config.cache_views:
        return None
    path = config.cache_dir or default_cache_dir() / "features"
    try:
        return CacheFolder(path, int(config.cache_limit_gb * 1e9))
    except OSError as error:
        say(f"Cache off: cannot write to {path}: {error.strerror}")
        return None
