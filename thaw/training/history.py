"""The history of a run: rows of epochs and steps, written as they come."""

import math
import time
from collections.abc import Mapping

import numpy as np

from model_zoo.layer_groups import GROUPS
from thaw.errors import NotFinite
from thaw.runs.event_file import EventFile

_METRICS = ("loss", "accuracy", "val_loss", "val_accuracy")
_STATE = (  # attributes
    "epochs",
    "steps",
    "_training_seconds",
    "_step",
    "_steps_before",
    "_batches",
    "_loss_sum",
)


class History:
    """Epochs and steps of all stages, in history.csv and steps.csv.

    What is on the disk after an epoch is complete: a run that dies later has
    lost nothing but the epoch it was in.

    Attributes:
        epochs: One dict per epoch with the keys of `HISTORY_COLUMNS`.
        steps: One dict per some steps with the keys of `STEP_COLUMNS`.
        learning_rates: Learning rate of every step so far, by layer group; NaN
            where a group did not train.
        stage: Name of the stage.
        events: `EventFile` of the run.
    """

    def __init__(self, folder):
        """Begins with nothing.

        Args:
            folder: `RunFolder` of the run.
        """
        self.epochs = []
        self.steps = []
        self.learning_rates = {name: [] for name in GROUPS}
        self.stage = None
        self.events = EventFile(folder.path / "tensorboard")
        self._folder = folder
        self._rates_of_stage = {}
        self._training_seconds = 0.0
        self._step = self._steps_before = self._batches = 0
        self._loss_sum = 0.0
        self._start = self._last_steps = time.perf_counter()

    def start_stage(
        self, name: str, learning_rates: dict[str, np.ndarray]
    ) -> None:
        """Begins a stage.

        Args:
            name: Name of the stage.
            learning_rates: Learning rates of each layer group, one a step.
        """
        self.stage = name
        self._rates_of_stage = learning_rates
        self._step = 0  # of the stage
        self._steps_before = self.steps[-1]["step"] if self.steps else 0
        self.start_epoch()

    def start_epoch(self) -> None:
        """Begins an epoch."""
        self._start = self._last_steps = time.perf_counter()
        self._batches, self._loss_sum = 0, 0.0

    def images_per_second(self, batch_size: int) -> float | None:
        """Returns the speed of training so far, without validation.

        None if nothing was trained by steps.
        """
        if not self.steps:
            return None
        return self.steps[-1]["step"] * batch_size / self._training_seconds

    @property
    def learning_rate(self) -> float | None:
        """Rate of the head in the last step; None: the head was solved."""
        rates = next(iter(self._rates_of_stage.values()), None)
        return None if rates is None else float(rates[self._step - 1])

    def add_steps(self, batches: int, logs: dict) -> None:
        """Adds the steps since the last call.

        Args:
            batches: Steps of the epoch so far.
            logs: `loss`, its mean over them.
        """
        loss_sum = logs["loss"] * batches
        steps = batches - self._batches
        for name, used in self.learning_rates.items():
            of_stage = self._rates_of_stage.get(
                name, np.full(self._step + steps, np.nan)
            )
            used.extend(of_stage[self._step : self._step + steps])
        self._step += steps
        rates = {
            f"rate_{name}": self.learning_rates[name][-1]
            for name in self._rates_of_stage
        }
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

    def add_epoch(self, logs: dict, seconds: float | None = None) -> dict:
        """Adds a row, and returns it.

        Args:
            logs: `loss`, `accuracy` and the same of the validation photos.
            seconds: How long the epoch took; None: since `start_epoch`.

        Raises:
            NotFinite: If a loss is NaN or infinite.
        """
        if seconds is None:
            seconds = time.perf_counter() - self._start
        row = {
            "stage": self.stage,
            "epoch": len(self.epochs) + 1,
            "seconds": round(seconds, 3),
            **{key: float(logs[key]) for key in _METRICS},
            "learning_rate": self.learning_rate,
        }
        self.epochs.append(row)
        self._folder.save_history(self.epochs)
        self._folder.save_steps(self.steps)
        self.events.add(self.epochs, self.steps)
        if not math.isfinite(row["loss"] + row["val_loss"]):
            raise NotFinite(
                f"The loss became NaN or Inf (stage {self.stage}, epoch "
                f"{row['epoch']}).",
                self.stage,
            )
        return row

    def epochs_without_gain(self) -> int:
        """Returns the number of epochs of the stage after its best one."""
        losses = [
            x["val_loss"] for x in self.epochs if x["stage"] == self.stage
        ]
        return len(losses) - 1 - int(np.argmin(losses)) if losses else 0

    def state(self) -> tuple[dict, dict[str, np.ndarray]]:
        """Returns the state that `restore` takes: JSON, and arrays."""
        arrays = {
            f"rates/{name}": np.array(x)
            for name, x in self.learning_rates.items()
        }
        return {name: getattr(self, name) for name in _STATE} | {
            "epoch_seconds": time.perf_counter() - self._start
        }, arrays

    def restore(self, state: dict, arrays: Mapping[str, np.ndarray]) -> None:
        """Goes back to a state.

        Called before the run goes on, for what it has seen, and again in the
        stage that has begun, for where it was.

        Args:
            state, arrays: Of `state`.
        """
        for name in _STATE:
            setattr(self, name, state[name])
        self._last_steps = time.perf_counter()
        self._start = self._last_steps - state["epoch_seconds"]
        self.learning_rates = {x: list(arrays[f"rates/{x}"]) for x in GROUPS}
        # What was written after the checkpoint will be, once more.
        self.events.rewrite(self.epochs, self.steps)
