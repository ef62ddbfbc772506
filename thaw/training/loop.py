"""The steps and epochs of a stage, from any step on.

Keras's `fit` begins with an epoch; this begins in the middle of one as well.
"""

import contextlib
from collections.abc import Callable

import keras
import tensorflow as tf

from model_zoo.head import divide_logits
from thaw.errors import NotFinite, Stopped
from thaw.progress import say
from thaw.training.guard import NaNGuard
from thaw.training.position import TrainingPosition
from thaw.training.state import Training


def train_epochs(
    training: Training,
    trained: NaNGuard,
    train_ds: tf.data.Dataset,
    val_ds: tf.data.Dataset,
    position: TrainingPosition,
    end_epoch: int,
    describe_step: Callable[[int], str],
) -> None:
    """Trains and validates, epoch after epoch.

    Args:
        training: The run, whose checkpoints are written on the way.
        trained: Compiled model, the part that trains.
        train_ds: Batches from `position` on.
        val_ds: Batches to validate on.
        position: Where the stage is; it goes along.
        end_epoch: Epochs after which the stage ends, over all stages.
        describe_step: Function from a step of the stage to the names of its
            photos.

    Raises:
        NotFinite: If a loss or a gradient is NaN or infinite; the weights are
            those before that step.
        Stopped: If the run was asked to stop; a checkpoint has been written.
    """
    history, patience = training.history, training.settings.early_stopping
    temperature = training.stages[position.stage].temperature
    trained.make_train_function()
    # Keras knows, and resets, the accuracy from the first step on only; the
    # first thing to do may be a validation, of a run that goes on.
    metrics = {"loss": trained.metrics[0], "accuracy": training.accuracy}
    batches = iter(train_ds)
    while position.epoch < end_epoch and not training.callbacks.stops:
        if patience and history.epochs_without_gain() >= patience:
            say(f"No lower validation loss for {patience} epochs")
            break
        say(f"Epoch {position.epoch + 1}/{end_epoch}")
        if not position.step:
            _reset(metrics.values())
            history.start_epoch()
        training.callbacks.on_epoch_begin(position.epoch)
        bar = _progress_bar(training)
        try:
            while position.step < training.settings.steps_per_epoch:
                _train_steps(
                    training, trained, batches, position, bar, describe_step
                )
            logs = _as_floats({x: metrics[x].result() for x in metrics})
            with _divided_logits(trained, temperature):
                of_val = _validate(training, trained, val_ds, metrics.values())
        except Stopped:
            training.save(trained, position)
            raise
        logs |= {f"val_{name}": value for name, value in of_val.items()}
        bar.update(position.step, logs.items(), finalize=True)
        row = history.add_epoch(logs)
        counts = keras.ops.convert_to_numpy(training.accuracy.counts)
        with _divided_logits(trained, temperature):
            training.best.add_epoch(row, counts)
            end_of_epoch(training, row)
        position.epoch, position.step = position.epoch + 1, 0
        training.save_if_due(trained, position)
    training.save(trained, position)


@contextlib.contextmanager
def _divided_logits(trained, temperature):
    """Divides the logits of a model while it is validated and kept."""
    head = trained.layers[-1]
    weights = head.get_weights()
    divide_logits(trained, temperature)
    try:
        yield
    finally:
        head.set_weights(weights)


def end_of_epoch(training: Training, row: dict) -> None:
    """Calls the callbacks with a row of the history."""
    logs = {x: row[x] for x in row if x not in ("epoch", "seconds")}
    training.callbacks.on_epoch_end(row["epoch"] - 1, logs)


def _train_steps(training, trained, batches, position, bar, describe_step):
    """Trains some steps, and adds them to the history."""
    training.callbacks.on_train_batch_begin(position.step)
    logs = _as_floats(trained.train_function(batches))
    if trained.bad_step is not None:
        raise NotFinite(
            f"Loss or gradients became NaN or Inf (stage "
            f"{training.history.stage}, epoch {position.epoch + 1}, step "
            f"{trained.bad_step + 1} of the stage). Photos in that batch: "
            f"{describe_step(trained.bad_step)}. The weights were not "
            "updated.",
            training.history.stage,
        )
    position.step += trained.steps_per_execution
    training.callbacks.on_train_batch_end(position.step - 1, logs)
    training.history.add_steps(position.step, logs)
    bar.update(position.step, logs.items(), finalize=False)
    training.stop.check()
    if position.step < training.settings.steps_per_epoch:
        training.save_if_due(trained, position)


def _progress_bar(training):
    """Returns a bar where a terminal can draw it, else a line an epoch."""
    return keras.utils.Progbar(
        training.settings.steps_per_epoch,
        verbose=training.progress_bar,
        unit_name="step",
        stateful_metrics=["loss", "accuracy"],
    )


def _validate(training, trained, val_ds, metrics):
    """Returns loss and accuracy on `val_ds`.

    Raises:
        Stopped: The metrics are those before it.
    """
    variables = [x for metric in metrics for x in metric.variables]
    before = [variable.numpy() for variable in variables]
    _reset(metrics)
    training.callbacks.on_test_begin()
    try:
        logs = trained.evaluate(
            val_ds,
            return_dict=True,
            verbose=0,
            callbacks=[training.stop_callback],
        )
    except Stopped:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
        raise
    training.callbacks.on_test_end(logs)
    return logs


def _reset(metrics):
    for metric in metrics:
        metric.reset_state()


def _as_floats(logs):
    return {name: float(value) for name, value in logs.items()}
