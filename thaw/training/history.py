"""The history of a run, and the model of its best epoch."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import keras
import numpy as np

from model_zoo.layer_groups import GROUPS
from thaw.errors import NotFinite
from thaw.runs.event_file import EventFile
from thaw.runs.verify import weights_sha256
from thaw.training.losses import Accuracy

_STATE = (  # attributes
    "history",
    "steps",
    "best",
    "weights_sha256",
    "_training_seconds",
    "_step",
    "_steps_before",
    "_batches",
    "_loss_sum",
)


class KeptEpoch:
    """Writes the history and keeps the model with the lowest validation loss.

    Both run over all stages. What is on the disk after an epoch is complete:
    a run that dies later has lost nothing but the epoch it was in.

    Attributes:
        history: One dict per epoch with the keys of `HISTORY_COLUMNS`.
        steps: One dict per some steps with the keys of `STEP_COLUMNS`.
        rates: Learning rate of every step so far, by layer group; NaN where a
            group did not train.
        best: The row of the kept epoch, or None.
        weights_sha256: Of `reopening.weights_sha256` in that epoch, or None.
        accuracy: The metric to train and to validate with.
        counts: Of `accuracy`, on the validation photos in the kept epoch.
        stage: Name of the stage.
        events: `EventFile` of the run.
    """

    def __init__(
        self,
        run_folder,
        whole_model: keras.Model,
        class_names: Sequence[str],
        on_first_model: Callable[[], None] = lambda: None,
    ):
        """Begins with nothing.

        Args:
            run_folder: `RunFolder` of the run.
            whole_model: Model of `build_model`.
            class_names: Names of the classes.
            on_first_model: Called when the first model has been kept.
        """
        self.history = []
        self.steps = []
        self.rates = {name: [] for name in GROUPS}
        self.best = None
        self.weights_sha256 = None
        self.accuracy = Accuracy(len(class_names))
        self.counts = None
        self.events = EventFile(run_folder.path / "tensorboard")
        self._training_seconds = 0.0
        self._run_folder = run_folder
        self._whole_model = whole_model
        self._class_names = class_names
        self._on_first_model = on_first_model
        self.stage = None

    @property
    def model_path(self) -> Path | None:
        """Path of the model kept so far, or None."""
        return None if self.best is None else self._run_folder.model_path

    def start_stage(self, name: str, rates: dict[str, np.ndarray]) -> None:
        """Begins a stage.

        Args:
            name: Name of the stage.
            rates: Learning rates of each layer group, one a step.
        """
        self.stage = name
        self._rates = rates
        self._step = 0  # of the stage
        self._steps_before = self.steps[-1]["step"] if self.steps else 0
        self.start_epoch()

    def images_per_second(self, batch_size: int) -> float | None:
        """Returns the speed of training so far, without validation.

        None if nothing was trained by steps.
        """
        if not self.steps:
            return None
        return self.steps[-1]["step"] * batch_size / self._training_seconds

    def start_epoch(self) -> None:
        """Begins an epoch."""
        self._start = self._last_steps = time.perf_counter()
        self._batches, self._loss_sum = 0, 0.0

    def add_steps(self, batches: int, logs: dict) -> None:
        """Adds the steps since the last call.

        Args:
            batches: Steps of the epoch so far.
            logs: `loss`, its mean over them.
        """
        loss_sum = logs["loss"] * batches
        steps = batches - self._batches
        for name, used in self.rates.items():
            of_stage = self._rates.get(
                name, np.full(self._step + steps, np.nan)
            )
            used.extend(of_stage[self._step : self._step + steps])
        self._step += steps
        rates = {f"rate_{name}": self.rates[name][-1] for name in self._rates}
        self.steps.append(
            {
                "stage": self.stage,
                "step": self._steps_before + self._step,
                "loss": (loss_sum - self._loss_sum) / steps,
                **rates,
            }
        )
        self._batches, self._loss_sum = batches, loss_sum
        now = time.perf_counter()
        self._training_seconds += now - self._last_steps
        self._last_steps = now

    def end_epoch(self, epoch: int, logs: dict) -> None:
        """Adds the epoch that was begun, as `add_epoch` does."""
        self.add_epoch(epoch, time.perf_counter() - self._start, logs)

    def add_epoch(self, epoch: int, seconds: float, logs: dict) -> None:
        """Adds a row to the history, and keeps the model if it is the best.

        Args:
            epoch: Number of the epoch, over all stages, from 1.
            seconds: How long it took.
            logs: `loss`, `accuracy` and the same of the validation photos,
                which `accuracy` saw last.

        Raises:
            NotFinite: If a loss is not a finite number.
        """
        # That of the head; a head that is solved has none.
        rate = next(
            (float(r[self._step - 1]) for r in self._rates.values()), None
        )
        row = {
            "stage": self.stage,
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
        self.events.add(self.history, self.steps)
        if not math.isfinite(row["loss"] + row["val_loss"]):
            raise NotFinite(
                f"The loss of epoch {epoch} (stage {self.stage}) is not a "
                "finite number.",
                self.stage,
            )
        if self.best is None or row["val_loss"] < self.best["val_loss"]:
            self._run_folder.save_model(self._whole_model, self._class_names)
            if self.best is None:
                self._on_first_model()
            self.best = row
            self.weights_sha256 = weights_sha256(self._whole_model)
            self.counts = keras.ops.convert_to_numpy(self.accuracy.counts)

    def epochs_without_gain(self) -> int:
        """Returns how many epochs of the stage came after its best one."""
        losses = [
            row["val_loss"]
            for row in self.history
            if row["stage"] == self.stage
        ]
        return len(losses) - 1 - int(np.argmin(losses)) if losses else 0

    def state(self) -> tuple[dict, dict[str, np.ndarray]]:
        """Returns what `restore` makes the rest of the run from, and arrays.

        To be called inside an epoch, or before the first.
        """
        arrays = {
            f"rates/{name}": np.array(x) for name, x in self.rates.items()
        }
        if self.counts is not None:
            arrays["counts"] = self.counts
        return {name: getattr(self, name) for name in _STATE} | {
            "epoch_seconds": time.perf_counter() - self._start
        }, arrays

    def restore(
        self,
        state: dict,
        arrays: Mapping[str, np.ndarray],
        model: Path | None = None,
    ) -> None:
        """Makes this what `state` was called of.

        Called before the run goes on, for what it has seen, and again in the
        stage that has begun, for where it was.

        Args:
            state, arrays: What it returned.
            model: Path of the model kept then; None: it is in its place.
        """
        for name in _STATE:
            setattr(self, name, state[name])
        self._last_steps = time.perf_counter()
        self._start = self._last_steps - state["epoch_seconds"]
        self.rates = {name: list(arrays[f"rates/{name}"]) for name in GROUPS}
        self.counts = arrays.get("counts")
        # What was written after the checkpoint will be, once more.
        self.events.rewrite(self.history, self.steps)
        if model is not None:
            self._run_folder.restore_model(model)

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
