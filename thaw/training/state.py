"""What a run is besides its flags: kept in checkpoints, and put back."""

import dataclasses
import time

import keras

from thaw.errors import UserError
from thaw.runs.freeze_proof import FreezeProof
from thaw.training.checkpoints import Checkpoint, Checkpoints
from thaw.training.history import KeptEpoch

_KINDS = ("model/", "optimizer/", "metrics/")  # of variables


@dataclasses.dataclass
class Place:
    """Where a run is.

    Attributes:
        stage: Number of the stage, from 0.
        epochs_before: Epochs of the stages before it.
        epoch: Epochs done, over all stages.
        step: Steps done in the epoch after these; where they are all its
            steps, what is left of it is its validation.
        rate: Highest learning rate of the stage.
        hashes: `freeze_proof.hash_layers` at the start of the stage.
    """

    stage: int
    epochs_before: int
    epoch: int
    step: int
    rate: float
    hashes: dict[str, str]


class RunState:
    """The state of one run.

    Attributes:
        kept_epoch: `KeptEpoch` of the run.
        proof: `FreezeProof` of the run.
    """

    def __init__(
        self,
        model: keras.Model,
        kept_epoch: KeptEpoch,
        checkpoints: Checkpoints,
        *,
        minutes: float = 5.0,
        conditions: dict | None = None,
        resumed: Checkpoint | None = None,
    ):
        """Begins a run, or goes on with one.

        Args:
            model: Whole model.
            kept_epoch: `KeptEpoch` of the run.
            checkpoints: Where to keep the state.
            minutes: Time between two checkpoints inside an epoch.
            conditions: What has to be the same for a run to go on.
            resumed: Where to go on from, or None.
        """
        self.kept_epoch = kept_epoch
        self.proof = FreezeProof()
        self._model = model
        self._checkpoints = checkpoints
        self._minutes = minutes
        self._conditions = conditions
        self._resumed = resumed
        self._start = self._saved = time.perf_counter()
        if resumed is not None:
            # A run that is stopped before its stage begins has seen this.
            kept_epoch.restore(
                resumed.state["seen"], resumed.variables, resumed.model
            )
            self.proof = FreezeProof.of_state(resumed.state["proof"])
            self._start -= resumed.state["seconds"]

    @property
    def seconds(self) -> float:
        """How long the run has taken, over all its parts."""
        return time.perf_counter() - self._start

    @property
    def resumed_place(self) -> Place | None:
        """Where the run goes on, None if it begins."""
        if self._resumed is None:
            return None
        return Place(**self._resumed.state["place"])

    def put_back(self, trained: keras.Model) -> None:
        """Gives every variable and the history the values that they had.

        Args:
            trained: The part of the model that trains, compiled.

        Raises:
            UserError: If the variables are others.
        """
        variables = self._variables(trained)
        saved = self._resumed.variables
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
                    "The checkpoint is of another model: the shape of "
                    f"{name} is {here.get(name)} here, and {there.get(name)} "
                    "there."
                )
        for name, variable in variables.items():
            variable.assign(saved[name])
        self.kept_epoch.restore(self._resumed.state["seen"], saved)

    def save(self, trained: keras.Model, place: Place) -> None:
        """Writes a checkpoint.

        Args:
            trained: As in `put_back`.
            place: Where the run is.
        """
        variables = {
            name: keras.ops.convert_to_numpy(variable)
            for name, variable in self._variables(trained).items()
        }
        seen, arrays = self.kept_epoch.state()
        state = {
            "conditions": self._conditions,
            "place": dataclasses.asdict(place),
            "seconds": self.seconds,
            "seen": seen,
            "proof": self.proof.state(),
        }
        self._checkpoints.save(
            variables | arrays, state, self.kept_epoch.model_path
        )
        self._saved = time.perf_counter()

    def save_if_due(self, trained: keras.Model, place: Place) -> None:
        """Writes a checkpoint if the last one is some minutes old."""
        if time.perf_counter() - self._saved >= 60 * self._minutes:
            self.save(trained, place)

    def _variables(self, trained):
        """Returns all variables by kind, number and name."""
        kinds = {
            "model": self._model.variables,
            "optimizer": trained.optimizer.variables,
            # Keras knows the accuracy from the first step on only.
            "metrics": [
                *trained.metrics[0].variables,
                *self.kept_epoch.accuracy.variables,
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
