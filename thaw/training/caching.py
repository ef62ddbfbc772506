"""The caches of the stages, and the runtime that fills them."""

import dataclasses
from collections.abc import Sequence

from thaw.atomic import default_cache_dir
from thaw.cache.folder import CacheFolder
from thaw.cache.plan import (
    CacheSettings,
    choose_num_views,
    count_computed,
    num_views_of,
    plan_caches,
)
from thaw.cache.runtime import DEFAULT_RUNTIME, Runtime
from thaw.cache.runtime_choice import RuntimeChoice
from thaw.config import TrainConfig
from thaw.data.prepare import Splits
from thaw.device import device_kind, has_gpu
from thaw.progress import say, warn
from thaw.training.stage import Settings, Stage, Views

_PASSES_OF_SEARCH = 5  # for each of a run without one


def make_cache_settings(config: TrainConfig) -> CacheSettings:
    """Returns the settings of the feature cache.

    Args:
        config: Options of the run.
    """
    if config.mixes_batches:
        names = ", ".join(f"`{name}`" for name in config.mixes_batches)
        say(f"Training features are not cached: {names} makes new views.")
    num_views = config.cache_views
    if num_views is None:  # of a search, before its epochs are known
        num_views = num_views_of(config.epochs)
    return CacheSettings(
        folder=open_cache_folder(config),
        num_views=0 if config.mixes_batches else num_views,
        dtype=config.cache_dtype,
        batch_size=config.batch_size,
        device=device_kind(),
    )


def with_cache_views(
    config: TrainConfig,
    stages: Sequence[Stage],
    settings: Settings,
    splits: Splits,
) -> TrainConfig:
    """Returns the options with a number of views, chosen if none is given.

    Args:
        config: Options of the run.
        stages: Stages of the run.
        settings: Settings of the run.
        splits: Photos of both splits.
    """
    if config.cache_views is not None:
        return config
    num_views = choose_num_views(
        stages, settings.photos_per_epoch, len(splits.train)
    )
    return dataclasses.replace(config, cache_views=num_views)


def choose_runtime(
    config: TrainConfig,
    stages: list[Stage],
    settings: Settings,
    views: Views,
    caching: CacheSettings,
) -> Runtime:
    """Returns what computes the frozen part for the training photos.

    On a GPU, and where the model itself computes in half precision, that is
    TensorFlow.

    Args:
        config: Options of the run.
        stages: Stages of the run.
        settings: Settings of the run.
        views: Views of the photos.
        caching: Settings of the cache, where trials are kept.
    """
    asked = (config.frozen_runtime, config.frozen_precision)
    if asked == DEFAULT_RUNTIME:
        return DEFAULT_RUNTIME
    if has_gpu() or config.precision != "float32":
        if asked != ("auto", "auto"):
            warn(
                "`frozen_runtime` and `frozen_precision` are for float32 on "
                "CPUs. TensorFlow computes the frozen part."
            )
        return DEFAULT_RUNTIME
    choice = RuntimeChoice(
        settings.frozen_layers,
        stages[-1].parts[0],
        views.of(stages[-1]),
        None if caching.folder is None else caching.folder.path,
    )
    num_photos = count_computed(
        stages, views, settings.photos_per_epoch, caching.num_views
    )
    if config.searches:
        num_photos *= _PASSES_OF_SEARCH
    return choice.choose(*asked, num_photos)


def give_caches(
    stages: list[Stage],
    settings: Settings,
    views: Views,
    caching: CacheSettings,
) -> None:
    """Opens the caches of the features that the stages train on.

    Args:
        stages: Stages of the run, which are given their caches.
        settings: Settings of the run.
        views: Views of the photos.
        caching: Settings of the caches.
    """
    caches = plan_caches(
        stages, views, settings.photos_per_epoch, caching, settings.runtime
    )
    for stage, (train_cache, val_cache) in zip(stages, caches, strict=True):
        stage.train_cache, stage.val_cache = train_cache, val_cache


def cache_path(config: TrainConfig) -> str:
    """Returns the path of the folder of cached features."""
    return config.cache_dir or str(default_cache_dir() / "features")


def open_cache_folder(config: TrainConfig) -> CacheFolder | None:
    """Returns the folder of cached features, None if there is no cache."""
    if config.cache_views == 0:
        return None
    path = cache_path(config)
    try:
        return CacheFolder(path, int(config.cache_limit_gb * 1e9))
    except OSError as error:
        say(f"Cache off: cannot write to {path}: {error.strerror}")
        return None
