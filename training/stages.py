"""The stages of a run: first the head, then from the unfreeze point on."""

import dataclasses
import math
import sys
import textwrap
import time
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from model_zoo.boundary import split
from model_zoo.unfreeze import first_trained_layer, unfreeze
from training import schedules
from training.features import Features, make_frozen_part
from training.freeze_proof import (
    FreezeProof,
    hash_layers,
    trained_layer_names,
)
from training.interruption import StopBetweenSteps
from training.stage_input import StageInput


@dataclasses.dataclass(frozen=True)
class Stage:
    """One `fit`.

    Attributes:
        name: `head` or `fine_tune`.
        unfreeze_from: Layer name, `none` or `all`.
        epochs: Number of epochs.
        learning_rate: Highest learning rate.
        schedule: Function of `training.schedules`: of steps, the number of
            steps and the highest rate.
        one_view: Whether all its passes see the same view of each photo. A
            head that another stage goes on from needs no more, and its second
            epoch takes a fraction of a second then.
    """

    name: str
    unfreeze_from: str
    epochs: int
    learning_rate: float
    schedule: Callable = schedules.constant
    one_view: bool = False


class KeptEpoch(keras.callbacks.Callback):
    """Writes the history and keeps the model with the lowest validation loss.

    Both run over all stages. What is on the disk after an epoch is complete:
    a run that dies later has lost nothing but the epoch it was in.

    Attributes:
        history: One dict per epoch with the keys of `HISTORY_COLUMNS`.
        best: The row of the kept epoch, or None.
    """

    def __init__(self, run_folder, whole_model, class_names):
        super().__init__()
        self.history = []
        self.best = None
        self._training_seconds = 0.0
        self._run_folder = run_folder
        self._whole_model = whole_model
        self._class_names = class_names

    def start_stage(self, name: str, epoch_rates: Sequence[float]) -> None:
        """Begins a stage.

        Args:
            name: Name of the stage.
            epoch_rates: Learning rate of the last step of each of its epochs.
        """
        self._stage = name
        self._epoch_rates = iter(epoch_rates)

    def images_per_second(self, images_per_epoch: int) -> float:
        """Returns the speed of training so far, without validation."""
        return len(self.history) * images_per_epoch / self._training_seconds

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.perf_counter()

    def on_test_begin(self, logs=None):  # validation follows training
        self._training_seconds += time.perf_counter() - self._start

    def on_epoch_end(self, epoch, logs=None):
        row = {
            "stage": self._stage,
            "epoch": epoch + 1,
            "seconds": round(time.perf_counter() - self._start, 3),
            **{
                key: float(logs[key])
                for key in ("loss", "accuracy", "val_loss", "val_accuracy")
            },
            "learning_rate": float(next(self._epoch_rates)),
        }
        self.history.append(row)
        self._run_folder.save_history(self.history)
        if not math.isfinite(row["loss"] + row["val_loss"]):
            raise FloatingPointError(
                f"The loss of epoch {epoch + 1} (stage {self._stage}) is "
                "not a finite number. Try a tenth of the learning rate."
            )
        if self.best is None or row["val_loss"] < self.best["val_loss"]:
            self._run_folder.save_model(self._whole_model, self._class_names)
            self.best = row

    def describe(self) -> str:
        """Returns one sentence on the kept epoch."""
        if self.best is None:
            return "No model was kept"
        return (
            f"Kept epoch {self.best['epoch']} of {len(self.history)} "
            f"({self.best['stage']}): "
            f"validation loss {self.best['val_loss']:.4f}, "
            f"accuracy {self.best['val_accuracy']:.4f}"
        )


def run_stage(
    stage: Stage,
    model: keras.Model,
    stage_inputs: Sequence[StageInput],
    train_views,
    val_views,
    *,
    kept_epoch: KeptEpoch,
    proof: FreezeProof,
    optimizer: str,
    steps_per_epoch: int,
    batch_size: int,
    train_batch_norm: bool,
) -> None:
    """Trains `model` from `stage.unfreeze_from` on.

    Args:
        stage: `Stage`.
        model: Model of `build_model`; its weights change.
        stage_inputs: What this stage trains on, then what later stages do,
            whose caches are filled on the way.
        train_views: `input_pipeline.dataset.PhotoViews` to train on.
        val_views: The same to validate on.
        kept_epoch: `KeptEpoch` of the run.
        proof: `FreezeProof` of the run.
        optimizer: Name of a Keras optimizer; the stage gets a new one.
        steps_per_epoch: Batches per epoch.
        batch_size: Photos per batch.
        train_batch_norm: As in `unfreeze`.
    """
    epochs_before = len(kept_epoch.history)
    unfreeze(model, stage.unfreeze_from, train_batch_norm)
    _, trained = split(model, first_trained_layer(model, stage.unfreeze_from))
    # Those of later stages are made along even where they are not stored: what
    # is made along decides which operations TensorFlow joins, and so the last
    # bits. Stages that train on the same tensors share their caches.
    stage_inputs = {id(x.train_cache): x for x in stage_inputs}.values()
    frozen = make_frozen_part(model, stage_inputs)
    train_features = Features(
        frozen,
        [stage_input.train_cache for stage_input in stage_inputs],
        train_views,
        batch_size,
    )
    val_features = Features(
        frozen,
        [stage_input.val_cache for stage_input in stage_inputs],
        val_views,
        batch_size,
    )
    num_steps = stage.epochs * steps_per_epoch
    rates = stage.schedule(np.arange(num_steps), num_steps, stage.learning_rate)
    new_optimizer = keras.optimizers.get(optimizer)
    new_optimizer.learning_rate = schedules.StepTable(rates)
    trained.compile(
        new_optimizer,
        loss=model.loss,
        metrics=["accuracy"],
        steps_per_execution=_steps_per_execution(steps_per_epoch),
    )
    print(f"\nStage {stage.name}: {_describe_trained(model)}")
    kept_epoch.start_stage(
        stage.name, rates[steps_per_epoch - 1 :: steps_per_epoch]
    )
    hashes = hash_layers(model)
    first_photo = epochs_before * steps_per_epoch * batch_size
    train_ds = train_features.endless(
        first_photo,
        first_pass=first_photo // len(train_views.labels),
        one_view=stage.one_view,
    )
    # No prefetch: a thread that makes batches in Python while the interpreter
    # ends after Ctrl-C waits for it, and it for the thread.
    train_ds = train_ds.take(num_steps)
    try:
        with StopBetweenSteps() as stop:
            trained.fit(
                train_ds,
                initial_epoch=epochs_before,
                epochs=epochs_before + stage.epochs,
                steps_per_epoch=steps_per_epoch,
                validation_data=val_features.one_pass(),
                callbacks=[kept_epoch, stop],
                shuffle=False,  # the stream is shuffled already
                # A bar where a terminal can draw it, else a line an epoch.
                verbose=1 if sys.stdout.isatty() else 2,
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
    proof.add_stage(trained_layer_names(model), hashes, hash_layers(model))


def _steps_per_execution(steps_per_epoch):
    """Returns the steps between two returns to Python, a divisor.

    Keras would do more steps than there are in an epoch otherwise. Ten spare
    1 ms each, and still let Ctrl-C through soon.
    """
    return max(n for n in range(1, 11) if steps_per_epoch % n == 0)


def _describe_trained(model):
    trained = sum(math.prod(v.shape) for v in model.trainable_variables)
    paths = ", ".join(variable.path for variable in model.trainable_variables)
    return (
        f"{trained:,} of {model.count_params():,} parameters train, in "
        f"{len(model.trainable_variables)} tensors:\n"
        + textwrap.fill(paths, 78, initial_indent="  ", subsequent_indent="  ")
    )
