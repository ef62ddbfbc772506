"""The stages of a run: first the head, then from the unfreeze point on."""

import dataclasses
import math
import sys
import textwrap
import time
from collections.abc import Callable

import keras
import tensorflow as tf

from model_zoo.boundary import split
from model_zoo.unfreeze import first_trained_layer, unfreeze
from training.features import make_features_ds
from training.freeze_proof import (
    FreezeProof,
    hash_layers,
    trained_layer_names,
)
from training.interruption import StopBetweenSteps


@dataclasses.dataclass(frozen=True)
class Stage:
    """One `fit`.

    Attributes:
        name: `head` or `fine_tune`.
        unfreeze_from: Layer name, `none` or `all`.
        epochs: Number of epochs.
        learning_rate: Learning rate, constant.
    """

    name: str
    unfreeze_from: str
    epochs: int
    learning_rate: float


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
        self.stage = None
        self._training_seconds = 0.0
        self._run_folder = run_folder
        self._whole_model = whole_model
        self._class_names = class_names

    def images_per_second(self, images_per_epoch: int) -> float:
        """Returns the speed of training so far, without validation."""
        return len(self.history) * images_per_epoch / self._training_seconds

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.perf_counter()

    def on_test_begin(self, logs=None):  # validation follows training
        self._training_seconds += time.perf_counter() - self._start

    def on_epoch_end(self, epoch, logs=None):
        row = {
            "stage": self.stage.name,
            "epoch": epoch + 1,
            "seconds": round(time.perf_counter() - self._start, 3),
            **{
                key: float(logs[key])
                for key in ("loss", "accuracy", "val_loss", "val_accuracy")
            },
            "learning_rate": self.stage.learning_rate,
        }
        self.history.append(row)
        self._run_folder.save_history(self.history)
        if not math.isfinite(row["loss"] + row["val_loss"]):
            raise FloatingPointError(
                f"The loss of epoch {epoch + 1} (stage {self.stage.name}) is "
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
    train_stream: Callable,
    val_ds: tf.data.Dataset,
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
        train_stream: Function of `first_photo`, the number of photos trained
            on so far, that returns the batches from there on.
        val_ds: Batches to validate on.
        kept_epoch: `KeptEpoch` of the run.
        proof: `FreezeProof` of the run.
        optimizer: Name of a Keras optimizer; the stage gets a new one.
        steps_per_epoch: Batches per epoch.
        batch_size: Photos per batch.
        train_batch_norm: As in `unfreeze`.
    """
    epochs_before = len(kept_epoch.history)
    unfreeze(model, stage.unfreeze_from, train_batch_norm)
    frozen, trained = split(
        model, first_trained_layer(model, stage.unfreeze_from)
    )
    new_optimizer = keras.optimizers.get(optimizer)
    new_optimizer.learning_rate = stage.learning_rate
    trained.compile(new_optimizer, loss=model.loss, metrics=["accuracy"])
    print(f"\nStage {stage.name}: {_describe_trained(model)}")
    kept_epoch.stage = stage
    hashes = hash_layers(model)
    with StopBetweenSteps() as stop:
        trained.fit(
            make_features_ds(
                frozen,
                train_stream(
                    first_photo=epochs_before * steps_per_epoch * batch_size
                ),
                batch_size,
            ),
            initial_epoch=epochs_before,
            epochs=epochs_before + stage.epochs,
            steps_per_epoch=steps_per_epoch,
            validation_data=make_features_ds(frozen, val_ds, batch_size),
            callbacks=[kept_epoch, stop],
            shuffle=False,  # the stream is shuffled already
            # A bar where a terminal can draw it, else a line an epoch.
            verbose=1 if sys.stdout.isatty() else 2,
        )
    proof.add_stage(trained_layer_names(model), hashes, hash_layers(model))


def _describe_trained(model):
    trained = sum(math.prod(v.shape) for v in model.trainable_variables)
    paths = ", ".join(variable.path for variable in model.trainable_variables)
    return (
        f"{trained:,} of {model.count_params():,} parameters train, in "
        f"{len(model.trainable_variables)} tensors:\n"
        + textwrap.fill(paths, 78, initial_indent="  ", subsequent_indent="  ")
    )
