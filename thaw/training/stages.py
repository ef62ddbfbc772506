"""The stages of a run: first the head, then from the unfreeze point on."""

import functools
import math
import textwrap
import time

import keras
import numpy as np
import tensorflow as tf

from model_zoo.hashes import hash_layers
from model_zoo.unfreeze import unfreeze
from thaw.cache.features import Features
from thaw.cache.frozen_part import FrozenPart
from thaw.data.groups import group_numbers
from thaw.progress import say
from thaw.runs.freeze_proof import trained_layer_names
from thaw.training.fit import Fit
from thaw.training.guard import NaNGuard
from thaw.training.loop import end_of_epoch
from thaw.training.position import TrainingPosition
from thaw.training.solved_head import solve_head
from thaw.training.state import Training


def run_stages(training: Training) -> None:
    """Trains all stages of a run, from where it is on.

    Args:
        training: The run.
    """
    callbacks = training.callbacks
    with training.stop:
        callbacks.on_train_begin()
        for number in range(len(training.stages)):
            if not callbacks.stops:
                run_stage(training, number)
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
    trained = NaNGuard(stage.parts[1].inputs, stage.parts[1].outputs)
    features = _features(training, number)
    say(f"\nStage {stage.name}: {_describe_trained(training.model)}")
    if not is_resumed:
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


def _features(training, number):
    """Returns the `Features` to train on, and to validate on.

    The boundary tensors of later stages are made along, to be cached. Stages
    with the same boundary share their caches.
    """
    stages = list(
        {id(x.train_cache): x for x in training.stages[number:]}.values()
    )
    boundaries = [(x.boundary, x.train_cache.dtype) for x in stages]
    settings = training.settings
    train_views, val_views = training.views
    return (
        Features(
            FrozenPart(settings.frozen_layers, boundaries, settings.runtime),
            [stage.train_cache for stage in stages],
            train_views,
            settings.mix,
        ),
        Features(
            FrozenPart(settings.frozen_layers, boundaries),
            [stage.val_cache for stage in stages],
            val_views,
        ),
    )


def _solve(training, stage, trained, features):
    """Solves the last layer on one pass over the photos."""
    if training.views[0].augment is not None:
        say(
            f"`head={stage.solver}` is solved on one augmented view of each "
            "photo; on the photos as they are: `augment=none`"
        )
    start = time.perf_counter()
    batches = []
    for batch in features[0].one_pass().as_numpy_iterator():
        batches.append(batch)
        training.stop.check()
    inputs = np.concatenate([tensors[0] for tensors, _ in batches])
    labels = np.concatenate([labels for _, labels in batches])
    views = training.views[0]
    groups = group_numbers(views.photos)
    if groups is not None:
        groups = groups[views.order(0)]
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
