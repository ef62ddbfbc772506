"""The steps and epochs of a stage, from any step on.

Keras's `fit` begins with an epoch; this begins in the middle of one as well.
"""

import sys
from collections.abc import Callable

import keras
import tensorflow as tf

from thaw.errors import NotFinite
from thaw.training.guard import Guarded
from thaw.training.interruption import Stopped, StopRequest
from thaw.training.state import Place, RunState


def train_epochs(
    trained: Guarded,
    train_ds: tf.data.Dataset,
    val_ds: tf.data.Dataset,
    place: Place,
    run_state: RunState,
    stop: StopRequest,
    *,
    end_epoch: int,
    steps_per_epoch: int,
    steps_at_a_time: int,
    patience: int | None,
    describe_step: Callable[[int], str],
) -> None:
    """Trains and validates, epoch after epoch.

    Args:
        trained: Compiled model, of `steps_at_a_time` steps per execution.
        train_ds: Batches from `place` on.
        val_ds: Batches to validate on.
        place: Where the stage is; it goes along.
        run_state: `RunState`, whose checkpoints are written on the way.
        stop: Is asked after every few steps.
        end_epoch: Epochs after which the stage ends, over all stages.
        steps_per_epoch: Steps per epoch.
        steps_at_a_time: Steps between two returns to Python, a divisor of it.
        patience: Epochs without a lower validation loss after which the stage
            ends; None: it never does.
        describe_step: Function from a step of the stage to the names of its
            photos.

    Raises:
        NotFinite: If a loss or a gradient is not a finite number; the
            weights are those before that step.
        Stopped: If `stop` was asked to; a checkpoint has been written.
    """
    kept_epoch = run_state.kept_epoch
    trained.make_train_function()
    # Keras knows, and resets, the accuracy from the first step on only; the
    # first thing to do may be a validation, of a run that goes on.
    metrics = {"loss": trained.metrics[0], "accuracy": kept_epoch.accuracy}
    batches = iter(train_ds)
    while place.epoch < end_epoch:
        if patience and kept_epoch.epochs_without_gain() >= patience:
            print(f"No lower validation loss for {patience} epochs")
            return
        print(f"Epoch {place.epoch + 1}/{end_epoch}")
        # A bar where a terminal can draw it, else a line an epoch.
        bar = keras.utils.Progbar(
            steps_per_epoch,
            verbose=1 if sys.stdout.isatty() else 2,
            unit_name="step",
            stateful_metrics=["loss", "accuracy"],
        )
        if not place.step:
            _reset(metrics.values())
            kept_epoch.start_epoch()
        try:
            while place.step < steps_per_epoch:
                logs = _as_floats(trained.train_function(batches))
                if trained.bad_step is not None:
                    message = _describe_bad(
                        trained.bad_step, place, kept_epoch.stage, describe_step
                    )
                    raise NotFinite(message, kept_epoch.stage)
                place.step += steps_at_a_time
                kept_epoch.add_steps(place.step, logs)
                bar.update(place.step, logs.items(), finalize=False)
                stop.check()
                if place.step < steps_per_epoch:
                    run_state.save_if_due(trained, place)
            logs = _as_floats({x: metrics[x].result() for x in metrics})
            of_val = _validate(trained, val_ds, stop, metrics.values())
        except Stopped:
            run_state.save(trained, place)
            raise
        logs |= {f"val_{name}": value for name, value in of_val.items()}
        bar.update(place.step, logs.items(), finalize=True)
        kept_epoch.end_epoch(place.epoch + 1, logs)
        place.epoch, place.step = place.epoch + 1, 0
        run_state.save(trained, place)


def _validate(trained, val_ds, stop, metrics):
    """Returns loss and accuracy on `val_ds`.

    Raises:
        Stopped: The metrics are those before it.
    """
    variables = [x for metric in metrics for x in metric.variables]
    before = [variable.numpy() for variable in variables]
    _reset(metrics)
    try:
        return trained.evaluate(
            val_ds, return_dict=True, verbose=0, callbacks=[stop]
        )
    except Stopped:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
        raise


def _reset(metrics):
    for metric in metrics:
        metric.reset_state()


def _describe_bad(step, place, stage, describe_step):
    """Says where it was, counted from 1; `step` is counted from 0."""
    return (
        f"The loss or its gradients are no finite numbers in stage {stage}, "
        f"epoch {place.epoch + 1}, step {step + 1} of the stage. The photos of "
        f"that step: {describe_step(step)}. The weights are those before it."
    )


def _as_floats(logs):
    return {name: float(value) for name, value in logs.items()}
