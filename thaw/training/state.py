"""The state of a run while it trains; checkpoints save and restore it."""

import dataclasses
import time
from typing import TYPE_CHECKING, Any

import keras

from thaw.errors import UserError
from thaw.runs.freeze_proof import FreezeProof
from thaw.runs.schema import FORMAT
from thaw.training.best_model import BestModel
from thaw.training.callbacks import Callbacks
from thaw.training.checkpoints import Checkpoint, Checkpoints
from thaw.training.history import History
from thaw.training.interruption import StopRequest
from thaw.training.losses import Accuracy
from thaw.training.position import TrainingPosition
from thaw.training.prepared import Prepared
from thaw.training.yardstick import Yardstick

if TYPE_CHECKING:
    from thaw.runs.writer import RunFolder

_SHARE = 0.01  # of the time of a run, for checkpoints after epochs
_KINDS = ("model/", "optimizer/", "metrics/")  # of variables


@dataclasses.dataclass(eq=False, kw_only=True)
class Training(Prepared):
    """All that belongs to one run while it trains.

    Attributes:
        folder: `RunFolder` of the run.
        checkpoints: Where the state is kept.
        history: Epochs and steps so far.
        best: The best model so far.
        accuracy: The metric to train and to validate with.
        callbacks: Keras callbacks of the user.
        stop: Request to stop, which is asked between steps.
        conditions: What a resumed run is compared with.
        progress_bar: `verbose` of Keras's progress bar.
        resumed: Checkpoint that the run goes on from, or None.
        proof: What was frozen and what moved, so far.
        yardstick: What a linear head alone reaches, or None.
        search: What was asked of a search and what came of it, by name; empty
            where there was none.
    """

    folder: "RunFolder"
    checkpoints: Checkpoints
    history: History
    best: BestModel
    accuracy: Accuracy
    callbacks: Callbacks
    stop: StopRequest
    conditions: dict
    progress_bar: int = 2
    resumed: Checkpoint | None = None
    proof: FreezeProof = dataclasses.field(default_factory=FreezeProof)
    yardstick: Yardstick | None = None
    search: dict = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        self._start = self._saved = time.perf_counter()
        self._seconds_to_save = 0.0
        self._saved_position = None
        if self.resumed is not None:
            # A run that is stopped before its stage begins has seen this.
            state, arrays = self.resumed.state, self.resumed.variables
            self.history.restore(state["history"], arrays)
            self.best.restore(state["best"], arrays, self.resumed.model)
            self.proof = FreezeProof.of_state(state["proof"])
            self._start -= state["seconds"]
            # A checkpoint of before has neither.
            self.search = state.get("search", {})
            if state.get("yardstick") is not None:
                self.yardstick = Yardstick(*state["yardstick"])

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.splits.train.class_names

    @property
    def seconds(self) -> float:
        """Seconds that the run has taken, over all its parts."""
        return time.perf_counter() - self._start

    @property
    def stop_callback(self) -> keras.callbacks.Callback:
        """A callback of `evaluate` that asks the request to stop."""
        return keras.callbacks.LambdaCallback(
            on_test_batch_end=lambda batch, logs: self.stop.check()
        )

    @property
    def resumed_position(self) -> TrainingPosition | None:
        """Position the run goes on from; None: it begins."""
        if self.resumed is None:
            return None
        return TrainingPosition(**self.resumed.state["position"])

    @property
    def is_done(self) -> bool:
        """True if all stages were done when the run was resumed."""
        return self.resumed is not None and self.resumed.state["done"]

    def put_back(self, trained: keras.Model) -> None:
        """Gives every variable and the history the values that they had.

        Args:
            trained: The part of the model that trains, compiled.

        Raises:
            UserError: If the variables are others.
        """
        variables = self._variables(trained)
        resumed: Any = self.resumed  # called where there is one
        saved = resumed.variables
        here, there = (
            {
                name: tuple(array.shape)
                for name, array in arrays.items()
                if name.startswith(_KINDS)
            }
            for arrays in (variables, saved)
        )
        for name in sorted(here.keys() | there.keys()):
            if here.get(name) != there.get(name):
                raise UserError(
                    "The checkpoint is from another model: the shape of "
                    f"{name} is {here.get(name)} here, and {there.get(name)} "
                    "there."
                )
        for name, variable in variables.items():
            variable.assign(saved[name])
        self.history.restore(resumed.state["history"], saved)

    def save(self, trained: keras.Model, position: TrainingPosition) -> None:
        """Writes a checkpoint, unless the last one is of that position.

        Args:
            trained: As in `put_back`.
            position: Where the run is.
        """
        if position == self._saved_position:
            return
        start = time.perf_counter()
        variables = {
            name: keras.ops.convert_to_numpy(variable)
            for name, variable in self._variables(trained).items()
        }
        self._save(variables, position)
        self._saved = time.perf_counter()
        self._seconds_to_save = self._saved - start
        self._saved_position = dataclasses.replace(position)

    def save_if_due(
        self, trained: keras.Model, position: TrainingPosition
    ) -> None:
        """Writes a checkpoint if the last one is old enough.

        Some minutes within an epoch; after one, so old that checkpoints take
        a hundredth of the time at most.
        """
        seconds = 60 * self.config.checkpoint_minutes
        if not position.step:
            seconds = min(seconds, self._seconds_to_save / _SHARE)
        if time.perf_counter() - self._saved >= seconds:
            self.save(trained, position)

    def save_done(self) -> None:
        """Writes the last checkpoint: what is left is proof and report."""
        if not self.is_done:
            epochs = len(self.history.epochs)
            position = TrainingPosition(
                len(self.stages), epochs, epochs, 0, None, {}
            )
            self._save({}, position)

    @property
    def state_sha256(self) -> str | None:
        """SHA-256 of all variables after the last step, None without steps."""
        if self.resumed is not None and self.is_done:
            return self.resumed.state["state_sha256"]
        return self._sha256_before

    _sha256_before = None

    def _save(self, variables, position):
        path = self.best.save()
        seen, arrays = self.history.state()
        best, more = self.best.state()
        if not variables:
            self._sha256_before = self.checkpoints.state_sha256()
        state = {
            "format": FORMAT,
            "conditions": self.conditions,
            "position": dataclasses.asdict(position),
            "done": not variables,
            "seconds": self.seconds,
            "history": seen,
            "best": best,
            "proof": self.proof.state(),
            "yardstick": self.yardstick,
            "search": self.search,
            "state_sha256": self._sha256_before,
        }
        self.checkpoints.save(variables | arrays | more, state, path)

    def _variables(self, trained):
        """Returns all variables by kind, number and name."""
        kinds = {
            "model": self.model.variables,
            "optimizer": trained.optimizer.variables,
            # Keras knows the accuracy from the first step on only.
            "metrics": [
                *trained.metrics[0].variables,
                *self.accuracy.variables,
            ],
        }
        return {
            f"{kind}/{number:04d}/{_name(kind, variable)}": variable
            for kind, variables in kinds.items()
            for number, variable in enumerate(variables)
        }


def _name(kind, variable):
    # Keras numbers optimizers and metrics by how many it has made, in the path.
    return variable.path if kind == "model" else variable.name
