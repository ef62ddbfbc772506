"""The stages of a run: first the head, then from the unfreeze point on."""

import functools
import math
import textwrap
import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from model_zoo.hashes import hash_layers
from model_zoo.unfreeze import unfreeze
from thaw.cache.features import Features
from thaw.cache.frozen_part import FrozenPart
from thaw.cache.runtime import DEFAULT_RUNTIME
from thaw.data.groups import group_numbers
from thaw.progress import Progress, say
from thaw.runs.freeze_proof import trained_layer_names
from thaw.training import yardstick
from thaw.training.fit import Fit
from thaw.training.guard import NaNGuard
from thaw.training.loop import end_of_epoch
from thaw.training.position import TrainingPosition
from thaw.training.prepared import Prepared
from thaw.training.solved_head import MOST_PHOTOS, solve_head
from thaw.training.state import Training
from thaw.training.yardstick import Yardstick, is_affordable


def run_stages(
    training: Training, search: Callable[[Training], None] | None = None
) -> None:
    """Trains all stages of a run, from where it is on.

    Args:
        training: The run.
        search: Called after the head has trained, to add the next stage; None:
            all are known.
    """
    callbacks = training.callbacks
    with training.stop:
        callbacks.on_train_begin()
        number = 0
        while number < len(training.stages) and not callbacks.stops:
            run_stage(training, number)
            number += 1
            if search is not None and number == 1:
                training.best.save()  # should the search be stopped
                search(training)
        callbacks.on_train_end()


def run_stage(training: Training, number: int) -> None:
    """Trains the model of a run from the unfreeze point of a stage on.

    Args:
        training: The run.
        number: Number of the stage, from 0.
    """
    stage = training.stages[number]
    position = training.resumed_position
    if position is not None and number < position.stage:
        return
    is_resumed = position is not None and number == position.stage
    settings = training.settings
    unfreeze(training.model, stage.unfreeze_from, settings.train_batch_norm)
    _, part = stage.parts
    trained = NaNGuard(part.inputs, part.outputs, settings.replicas)
    features = features_of(training, number)
    say(f"\nStage {stage.name}: {_describe_trained(training.model)}")
    if position is None or not is_resumed:
        epochs = len(training.history.epochs)
        position = TrainingPosition(
            number,
            epochs,
            epochs,
            0,
            stage.learning_rate,
            hash_layers(training.model),
        )
    try:
        if stage.solver is not None:
            _solve(training, stage, trained, features)
        else:
            if not stage.augmented and training.yardstick is None:
                _measure_yardstick(training, stage, features)
            Fit(training, stage, trained, features, position).run(is_resumed)
    except tf.errors.OpError as error:
        # The exception of the thread that makes the batches says more.
        cause = features[0].error or features[1].error
        if cause is None:
            raise
        raise cause from error
    finally:
        for of_split in features:
            of_split.close()
    training.proof.add_stage(
        trained_layer_names(training.model),
        position.hashes,
        hash_layers(training.model),
    )


def features_of(prepared: Prepared, number: int) -> tuple[Features, Features]:
    """Returns the `Features` to train on, and to validate on.

    The boundary tensors of later stages are made along, to be cached. Stages
    with the same boundary share their caches.

    Args:
        prepared: The run.
        number: Number of the stage, from 0.
    """
    settings, views = prepared.settings, prepared.views
    stage, *later = prepared.stages[number:]
    train_views = views.of(stage)
    return (
        _make_features(
            settings,
            [stage, *(x for x in later if views.of(x) is train_views)],
            "train_cache",
            train_views,
            settings.runtime,
            settings.mix if stage.augmented else None,
        ),
        _make_features(
            settings, [stage, *later], "val_cache", views.validation
        ),
    )


def _make_features(
    settings, stages, cache, views, runtime=DEFAULT_RUNTIME, mix=None
):
    """Returns the `Features` of stages that see the same views."""
    of_boundaries = {id(getattr(x, cache)): x for x in stages}.values()
    caches = [getattr(stage, cache) for stage in of_boundaries]
    boundaries = [
        (stage.boundary, kept.dtype)
        for stage, kept in zip(of_boundaries, caches, strict=True)
    ]
    frozen = FrozenPart(settings.frozen_layers, boundaries, runtime)
    return Features(frozen, caches, views, mix)


def _collect(training, stage, features, most=None):
    """Returns the features of training photos, their labels and groups.

    All are computed, to be cached; but at most `most` are held in memory, and
    the rest of a batch.
    """
    batches, num_photos = [], 0
    progress = Progress(features.num_photos)
    for batch in features.one_pass().as_numpy_iterator():
        if most is None or num_photos < most:
            batches.append(batch)
        num_photos += len(batch[1])
        progress(num_photos)
        training.stop.check()
    progress.clear()
    inputs = np.concatenate([tensors[0] for tensors, _ in batches])
    labels = np.concatenate([labels for _, labels in batches])
    views = training.views.of(stage)
    groups = group_numbers(views.photos)
    if groups is not None:
        groups = groups[views.order(0)[: len(labels)]]
    return inputs, labels, groups


def _measure_yardstick(training, stage, features):
    """Solves a linear head on the features that the head trains on."""
    ((num_features,),) = stage.train_cache.shapes
    if not (
        training.config.yardstick
        and stage.train_cache.num_views  # else they are computed twice
        and is_affordable(features[0].num_photos, num_features)
    ):
        return
    inputs, labels, groups = _collect(training, stage, features[0], MOST_PHOTOS)
    training.yardstick = yardstick.measure(
        inputs,
        labels,
        groups,
        len(training.class_names),
        training.settings.loss or training.model.loss,
        features[1].one_pass(),
        [training.stop_callback],
    )
    say(f"Yardstick, a linear head alone: {training.yardstick.describe()}")


def _solve(training, stage, trained, features):
    """Solves the last layer on one pass over the photos."""
    start = time.perf_counter()
    inputs, labels, groups = _collect(training, stage, features[0])
    model = training.model
    model.layers[-1].set_weights(
        solve_head(inputs, labels, stage.solver, groups)
    )
    # The loss of the other stages, or their epochs could not be compared.
    trained.compile(
        loss=training.settings.loss or model.loss, metrics=[training.accuracy]
    )
    evaluate = functools.partial(trained.evaluate, return_dict=True, verbose=0)
    logs = evaluate(inputs, labels)
    of_val = evaluate(
        features[1].one_pass(), callbacks=[training.stop_callback]
    )
    logs |= {f"val_{name}": value for name, value in of_val.items()}
    if stage.solver == "linear":
        training.yardstick = Yardstick(logs["val_loss"], logs["val_accuracy"])
    training.history.start_stage(stage.name, {})
    training.callbacks.on_epoch_begin(len(training.history.epochs))
    row = training.history.add_epoch(logs, time.perf_counter() - start)
    counts = keras.ops.convert_to_numpy(training.accuracy.counts)
    training.best.add_epoch(row, counts)
    end_of_epoch(training, row)
    say(
        f"Solved ({stage.solver}): "
        + ", ".join(f"{name} {value:.4f}" for name, value in logs.items())
    )


def _describe_trained(model):
    trained = sum(math.prod(v.shape) for v in model.trainable_variables)
    paths = ", ".join(variable.path for variable in model.trainable_variables)
    return (
        f"Training {trained:,} of {model.count_params():,} parameters "
        f"({len(model.trainable_variables)} tensors):\n"
        + textwrap.fill(paths, 78, initial_indent="  ", subsequent_indent="  ")
    )
