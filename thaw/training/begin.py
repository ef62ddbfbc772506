"""Preparation of a run from its options and photos."""

import dataclasses
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras

from model_zoo import build_model
from thaw import device, progress
from thaw.config import TrainConfig
from thaw.data.photos import Photos
from thaw.data.prepare import Splits, inspect_and_split
from thaw.progress import say, warn
from thaw.runs import pixel_ranges
from thaw.runs.writer import RunFolder
from thaw.training import caching, own_backbone, plan, resume
from thaw.training.best_model import BestModel
from thaw.training.callbacks import Callbacks, check_callbacks
from thaw.training.checkpoints import Checkpoints
from thaw.training.conditions import make_conditions
from thaw.training.engine_filling import fill_caches
from thaw.training.history import History
from thaw.training.interruption import StopRequest
from thaw.training.losses import Accuracy
from thaw.training.prepared import Prepared
from thaw.training.replicas import Replicas
from thaw.training.state import Training
from thaw.work.options import LOCAL, EngineOptions


def prepare(
    config: TrainConfig,
    inspect: Callable[[], list[Photos]],
    unfreeze_from: str,
    choose_runtime: Callable = caching.choose_runtime,
) -> Prepared:
    """Returns a run that is prepared, and has no folder yet.

    Args:
        config: Options of the run, paths absolute.
        inspect: Function of `start_inspection`.
        unfreeze_from: Unfreeze point.
        choose_runtime: Function like `caching.choose_runtime`.

    Raises:
        UserError: If photos or options don't fit.
    """
    with progress.heavy_imports():  # TensorFlow logs here, too
        device_name = device.prepare_device()
        replicas = Replicas(device.training_gpus(config.num_gpus))
    splits = _split(inspect, config)
    with replicas.scope():
        model = build_model_of(config, splits)
    config, stages, settings, views = _prepare(
        config, model, splits, unfreeze_from, choose_runtime, replicas
    )
    return Prepared(
        config=config,
        model=model,
        unfreeze_from=unfreeze_from,
        splits=splits,
        stages=stages,
        settings=settings,
        views=views,
        device=device_name,
    )


def begin(
    config: TrainConfig,
    inspect: Callable[[], list[Photos]],
    run_dir: Path,
    unfreeze_from: str,
    resumption: resume.Resumption,
    callbacks: Sequence[keras.callbacks.Callback],
    verbose: str | int,
    engine: EngineOptions = LOCAL,
) -> Training:
    """Returns a run that is ready to train, in its locked run folder.

    Args:
        config: Options of the run, paths absolute.
        inspect: Function of `start_inspection`.
        run_dir: Path of the run folder.
        unfreeze_from: Unfreeze point.
        resumption: Whether the run goes on.
        callbacks: Keras callbacks.
        verbose: As in `fine_tune`.
        engine: Who fills the caches before.

    Raises:
        UserError: If photos, options or the checkpoint don't fit.
        MachineError: If the disk has no room for the run.
    """
    check_callbacks(callbacks)
    prepared = prepare(config, inspect, unfreeze_from)
    fill_caches(prepared, engine)
    model, settings = prepared.model, prepared.settings
    class_names = prepared.splits.train.class_names
    epochs = sum(stage.epochs for stage in prepared.stages)
    callbacks = Callbacks(callbacks, model, epochs, settings.steps_per_epoch)
    folder = RunFolder(run_dir)
    if not resumption.is_resumed:
        folder = RunFolder.create(run_dir)
    folder.lock()
    try:
        folder.remove_leftovers()
        checkpoints = Checkpoints(folder.path / "checkpoint")
        conditions = make_conditions(
            prepared.config,
            prepared.splits,
            prepared.stages,
            settings,
            prepared.device,
        )
        checkpoint = resumption.load(checkpoints, conditions, callbacks)
        resume.check_room(model, folder.path, resumption.is_resumed)
        training = Training(
            **vars(prepared),
            folder=folder,
            checkpoints=checkpoints,
            history=History(folder),
            best=BestModel(
                folder, model, class_names, resumption.is_default_folder
            ),
            accuracy=Accuracy(len(class_names)),
            callbacks=callbacks,
            stop=StopRequest(),
            conditions=conditions,
            progress_bar=_progress_bar(verbose),
            resumed=checkpoint,
        )
    except BaseException:
        folder.unlock()
        raise
    gpus = device.describe_gpus(prepared.device, settings.replicas.count)
    say(f"Training on {gpus}. Results go to {run_dir}")
    return training


def save_inputs(training: Training) -> None:
    """Writes what is known of a run before it trains.

    Args:
        training: The run.
    """
    folder, train = training.folder, training.splits.train
    folder.save_flags(training.config.to_flags())
    folder.save_class_names(train.class_names)
    pixel_ranges.save(folder.path, train.pixel_ranges)
    folder.save_training_photos(
        train.paths, (train.class_names[x] for x in train.labels)
    )
    if training.splits.bad:
        folder.save_bad_photos(training.splits.bad)


def _split(inspect, config):
    ranges = own_backbone.ranges_before(config)
    splits = inspect_and_split(inspect, config, ranges)
    if seen := own_backbone.describe_seen(config, splits.validation.paths):
        warn(seen)
    return splits


def build_model_of(config: TrainConfig, splits: Splits) -> keras.Model:
    """Returns the model of a run, before any training.

    Args:
        config: Options of the run.
        splits: Photos of both splits.
    """
    class_counts = splits.train.counts()
    return build_model(
        num_classes=len(class_counts),
        class_counts=class_counts,
        resize=config.resize,
        train_batch_norm=config.train_batch_norm,
        **config.head_arguments(),
        **config.model_arguments(),
    )


def _prepare(config, model, splits, unfreeze_from, choose_runtime, replicas):
    """Returns the options, all decided, and the stages, settings and views.

    A run that is resumed or repeated keeps what was decided.
    """
    settings = plan.make_settings(
        config, model, splits.train.labels, len(splits.train.class_names)
    )
    stages = plan.make_stages(config, model, unfreeze_from)
    if not config.searches:  # else when its epochs are known
        config = caching.with_cache_views(config, stages, settings, splits)
    views = plan.make_views(config, model, splits)
    cache_settings = caching.make_cache_settings(config)
    runtime = choose_runtime(config, stages, settings, views, cache_settings)
    settings = dataclasses.replace(settings, runtime=runtime, replicas=replicas)
    config = dataclasses.replace(
        config, frozen_runtime=runtime.name, frozen_precision=runtime.precision
    )
    if config.searches:  # fine-tuning is planned when the head has trained
        stages = stages[:1]
    caching.give_caches(stages, settings, views, cache_settings)
    return config, stages, settings, views


def add_fine_tuning(training: Training, config: TrainConfig) -> None:
    """Gives a run whose head has trained the stage after it.

    Args:
        training: The run.
        config: Options with an unfreeze point, which replace those of the run.
    """
    unfreeze_from: Any = config.unfreeze_from
    _, *later = plan.make_stages(config, training.model, unfreeze_from)
    training.stages = [training.stages[0], *later]
    config = caching.with_cache_views(
        config, training.stages, training.settings, training.splits
    )
    training.config = config
    training.unfreeze_from = unfreeze_from
    training.views = plan.make_views(config, training.model, training.splits)
    caching.give_caches(
        training.stages,
        training.settings,
        training.views,
        caching.make_cache_settings(config),
    )
    training.conditions = make_conditions(
        config,
        training.splits,
        training.stages,
        training.settings,
        training.device,
    )
    training.folder.save_flags(config.to_flags())


def _progress_bar(verbose):
    """Returns `verbose` for Keras's bar, as `Model.fit` understands it."""
    if verbose == "auto":  # a bar where it can be drawn, else a line an epoch
        is_notebook = "ipykernel" in sys.modules
        return 1 if sys.stdout.isatty() or is_notebook else 2
    return int(verbose)
