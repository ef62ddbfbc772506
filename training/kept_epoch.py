"""The history of a run, and the model of its best epoch."""

import math
import time

import keras
import numpy as np

from model_zoo.layer_groups import GROUPS
from training.losses import Accuracy


class KeptEpoch(keras.callbacks.Callback):
    """Writes the history and keeps the model with the lowest validation loss.

    Both run over all stages. What is on the disk after an epoch is complete:
    a run that dies later has lost nothing but the epoch it was in.

    Attributes:
        history: One dict per epoch with the keys of `HISTORY_COLUMNS`.
        steps: One dict per some steps with the keys of `STEP_COLUMNS`.
        rates: Learning rate of every step so far, by layer group; NaN where a
            group did not train.
        best: The row of the kept epoch, or None.
        accuracy: The metric to train and to validate with.
        counts: Of `accuracy`, on the validation photos in the kept epoch.
    """

    def __init__(self, run_folder, whole_model, class_names):
        super().__init__()
        self.history = []
        self.steps = []
        self.rates = {name: [] for name in GROUPS}
        self.best = None
        self.accuracy = Accuracy(len(class_names))
        self.counts = None
        self._training_seconds = 0.0
        self._run_folder = run_folder
        self._whole_model = whole_model
        self._class_names = class_names

    def start_stage(self, name: str, rates: dict[str, np.ndarray]) -> None:
        """Begins a stage.

        Args:
            name: Name of the stage.
            rates: Learning rates of each layer group, one a step.
        """
        self._stage = name
        self._rates = rates
        self._step = 0  # of the stage
        self._steps_before = self.steps[-1]["step"] if self.steps else 0

    def images_per_second(self, batch_size: int) -> float | None:
        """Returns the speed of training so far, without validation.

        None if nothing was trained by steps.
        """
        if not self.steps:
            return None
        return self.steps[-1]["step"] * batch_size / self._training_seconds

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.perf_counter()
        self._batches, self._loss_sum = 0, 0.0

    def on_train_batch_end(self, batch, logs=None):
        # Keras gives the mean of the epoch so far, every few steps.
        loss_sum = logs["loss"] * (batch + 1)
        steps = batch + 1 - self._batches
        for name, used in self.rates.items():
            of_stage = self._rates.get(
                name, np.full(self._step + steps, np.nan)
            )
            used.extend(of_stage[self._step : self._step + steps])
        self._step += steps
        rates = {f"rate_{name}": self.rates[name][-1] for name in self._rates}
        self.steps.append(
            {
                "stage": self._stage,
                "step": self._steps_before + self._step,
                "loss": float(loss_sum - self._loss_sum) / steps,
                **rates,
            }
        )
        self._batches, self._loss_sum = batch + 1, loss_sum

    def on_test_begin(self, logs=None):  # validation follows training
        self._training_seconds += time.perf_counter() - self._start

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.perf_counter() - self._start
        self.add_epoch(epoch + 1, seconds, logs)

    def add_epoch(self, epoch: int, seconds: float, logs: dict) -> None:
        """Adds a row to the history, and keeps the model if it is the best.

        Args:
            epoch: Number of the epoch, over all stages, from 1.
            seconds: How long it took.
            logs: `loss`, `accuracy` and the same of the validation photos,
                which `accuracy` saw last.

        Raises:
            FloatingPointError: If a loss is not a finite number.
        """
        # That of the head; a head that is solved has none.
        rate = next(
            (float(r[self._step - 1]) for r in self._rates.values()), None
        )
        row = {
            "stage": self._stage,
            "epoch": epoch,
            "seconds": round(seconds, 3),
            **{
                key: float(logs[key])
                for key in ("loss", "accuracy", "val_loss", "val_accuracy")
            },
            "learning_rate": rate,
        }
        self.history.append(row)
        self._run_folder.save_history(self.history)
        self._run_folder.save_steps(self.steps)
        if not math.isfinite(row["loss"] + row["val_loss"]):
            raise FloatingPointError(
                f"The loss of epoch {epoch} (stage {self._stage}) is not a "
                "finite number. Try a tenth of the learning rate."
            )
        if self.best is None or row["val_loss"] < self.best["val_loss"]:
            self._run_folder.save_model(self._whole_model, self._class_names)
            self.best = row
            self.counts = keras.ops.convert_to_numpy(self.accuracy.counts)

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
