"""The stages of a run: first the head, then from the unfreeze point on."""

import math
import textwrap
import time
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from model_zoo.boundary import split
from model_zoo.layer_groups import layer_groups
from model_zoo.unfreeze import first_trained_layer, unfreeze
from thaw.cache.features import Features, make_frozen_part
from thaw.cache.plan import StageInput
from thaw.runs.freeze_proof import hash_layers, trained_layer_names
from thaw.training import lr_finder
from thaw.training.guard import Guarded
from thaw.training.interruption import StopRequest
from thaw.training.loop import train_epochs
from thaw.training.optimizer import group_rates, make_optimizer
from thaw.training.solved_head import solve_head
from thaw.training.stage import Settings, Stage
from thaw.training.state import Place, RunState


def run_stage(
    number: int,
    stage: Stage,
    model: keras.Model,
    stage_inputs: Sequence[StageInput],
    train_views,
    val_views,
    *,
    settings: Settings,
    run_state: RunState,
    stop: StopRequest,
    show_range_test: Callable[[str, lr_finder.RangeTest], None] | None = None,
) -> None:
    """Trains `model` from `stage.unfreeze_from` on.

    Args:
        number: Which stage of the run, from 0.
        stage: `Stage`.
        model: Model of `build_model`; its weights change.
        stage_inputs: What this stage trains on, then what later stages do,
            whose caches are filled on the way.
        train_views: `thaw.data.datasets.PhotoViews` to train on.
        val_views: The same to validate on.
        settings: `Settings` of the run.
        run_state: `RunState` of the run.
        stop: `StopRequest` of the run.
        show_range_test: Called with the name of the stage and its range test,
            where there was one, before training starts.
    """
    place = run_state.resumed_place
    if place is not None and number < place.stage:
        return
    if place is not None and number > place.stage:
        place = None
    unfreeze(model, stage.unfreeze_from, settings.train_batch_norm)
    _, trained = split(model, first_trained_layer(model, stage.unfreeze_from))
    trained = Guarded(trained.inputs, trained.outputs)
    # Those of later stages are made along even where they are not stored: what
    # is made along decides which operations TensorFlow joins, and so the last
    # bits. Stages that train on the same tensors share their caches.
    stage_inputs = {id(x.train_cache): x for x in stage_inputs}.values()
    frozen = make_frozen_part(model, stage_inputs)
    train_features = Features(
        frozen,
        [stage_input.train_cache for stage_input in stage_inputs],
        train_views,
        settings.batch_size,
        settings.mix,
    )
    val_features = Features(
        frozen,
        [stage_input.val_cache for stage_input in stage_inputs],
        val_views,
        settings.batch_size,
    )
    print(f"\nStage {stage.name}: {_describe_trained(model)}")
    resumed = place is not None
    if not resumed:
        epochs = len(run_state.kept_epoch.history)
        rate, hashes = stage.learning_rate, hash_layers(model)
        place = Place(number, epochs, epochs, 0, rate, hashes)
    try:
        if stage.solver is not None:
            _solve(
                stage,
                model,
                trained,
                train_features,
                val_features,
                settings,
                run_state.kept_epoch,
                stop,
            )
        else:
            _fit(
                stage,
                model,
                trained,
                train_features,
                val_features,
                settings,
                run_state,
                stop,
                place,
                resumed,
                show_range_test,
            )
    except tf.errors.OpError as error:
        # What went wrong in the thread that makes the batches says more.
        cause = train_features.error or val_features.error
        if cause is None:
            raise
        raise cause from error
    finally:
        train_features.flush()
        val_features.flush()
    run_state.proof.add_stage(
        trained_layer_names(model), place.hashes, hash_layers(model)
    )


def _fit(
    stage,
    model,
    trained,
    train_features,
    val_features,
    settings,
    run_state,
    stop,
    place,
    resumed,
    show_range_test,
):
    """Trains by steps, at a rate looked for where none is given."""
    kept_epoch = run_state.kept_epoch
    photos_per_epoch = settings.steps_per_epoch * settings.batch_size
    first_photo = place.epochs_before * photos_per_epoch
    groups = layer_groups(model)

    def stream(epoch, step):
        return train_features.endless(
            epoch * photos_per_epoch + step * settings.batch_size,
            first_pass=first_photo // train_features.num_photos,
            one_view=stage.one_view,
            class_weight=settings.class_weight,
        )

    def compile_with(rates, steps_per_execution=1):
        of_groups = group_rates(rates, list(groups), stage.layer_decay)
        trained.compile(
            make_optimizer(settings.make_optimizer, of_groups, groups),
            loss=settings.loss or model.loss,
            metrics=[kept_epoch.accuracy],
            steps_per_execution=steps_per_execution,
        )
        trained.optimizer.build(trained.trainable_variables)
        return of_groups

    if stage.learning_rate is not None:
        place.rate = stage.learning_rate  # with --resume_anyway, another one
    if place.rate is None:
        tested = lr_finder.range_test(
            trained,
            compile_with,
            stream(place.epoch, 0).take(lr_finder.NUM_STEPS),
            stop.check,
        )
        place.rate = tested.suggestions()["valley"]
        if show_range_test is not None:
            show_range_test(stage.name, tested)
    if not stage.epochs:
        return
    num_steps = stage.epochs * settings.steps_per_epoch
    rates = stage.schedule(np.arange(num_steps), num_steps, place.rate)
    steps_at_a_time = _steps_per_execution(settings)
    of_groups = compile_with(rates, steps_at_a_time)
    kept_epoch.start_stage(stage.name, of_groups)
    if resumed:
        run_state.put_back(trained)
    # Where it was resumed as well: the conditions may be others.
    run_state.save(trained, place)
    train_epochs(
        trained,
        # No prefetch: a thread that makes batches in Python while the
        # interpreter ends after Ctrl-C waits for it, and it for the thread.
        stream(place.epoch, place.step),
        val_features.one_pass(),
        place,
        run_state,
        stop,
        end_epoch=place.epochs_before + stage.epochs,
        steps_per_epoch=settings.steps_per_epoch,
        steps_at_a_time=steps_at_a_time,
        patience=settings.early_stopping,
        describe_step=lambda step: train_features.describe_batch(
            first_photo + step * settings.batch_size
        ),
    )


def _solve(
    stage,
    model,
    trained,
    train_features,
    val_features,
    settings,
    kept_epoch,
    stop,
):
    """Solves the last layer on one pass over the photos."""
    start = time.perf_counter()
    batches = []
    for batch in train_features.one_pass().as_numpy_iterator():
        batches.append(batch)
        stop.check()
    features = np.concatenate([tensors[0] for tensors, _ in batches])
    labels = np.concatenate([labels for _, labels in batches])
    model.layers[-1].set_weights(solve_head(features, labels, stage.solver))
    # The loss of the other stages, or their epochs could not be compared.
    trained.compile(
        loss=settings.loss or model.loss, metrics=[kept_epoch.accuracy]
    )
    logs = trained.evaluate(features, labels, return_dict=True, verbose=0)
    of_val = trained.evaluate(
        val_features.one_pass(), return_dict=True, verbose=0, callbacks=[stop]
    )
    logs |= {f"val_{name}": value for name, value in of_val.items()}
    kept_epoch.start_stage(stage.name, {})
    epoch = len(kept_epoch.history) + 1
    kept_epoch.add_epoch(epoch, time.perf_counter() - start, logs)
    print(
        f"Solved ({stage.solver}): "
        + ", ".join(f"{name} {value:.4f}" for name, value in logs.items())
    )


def _steps_per_execution(settings):
    """Returns the steps between two returns to Python, a divisor.

    Keras would do more steps than there are in an epoch otherwise. Ten spare
    1 ms each, and still let Ctrl-C through soon.
    """
    return max(n for n in range(1, 11) if settings.steps_per_epoch % n == 0)


def _describe_trained(model):
    trained = sum(math.prod(v.shape) for v in model.trainable_variables)
    paths = ", ".join(variable.path for variable in model.trainable_variables)
    return (
        f"{trained:,} of {model.count_params():,} parameters train, in "
        f"{len(model.trainable_variables)} tensors:\n"
        + textwrap.fill(paths, 78, initial_indent="  ", subsequent_indent="  ")
    )
