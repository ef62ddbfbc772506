"""The record of a search: search.csv, and the state that resuming needs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from thaw.atomic import write_csv, write_json
from thaw.errors import UserError
from thaw.runs.checked_files import MOST_TABLE_BYTES, read_json
from thaw.runs.schema import is_like
from thaw.search.candidates import Candidate
from thaw.search.trial import Trial

COLUMNS = (
    "trial",
    "unfreeze_from",
    "learning_rate",
    "augment",
    "epochs",
    "loss",
    "temperature",
    "seconds",
    "seconds_per_epoch",
)
_STATE = "search.json"  # of a search that has not ended
_TRIAL_SCHEMA = {
    "candidate": [str | float],
    "epochs": int,
    "losses": [float],
    "temperature": float,
    "seconds": float,
    "seconds_per_epoch": float,
}
_STATE_SCHEMA = {"seconds": float, "trials": [_TRIAL_SCHEMA]}


class Record:
    """The trials of a search, on disk after each."""

    def __init__(self, folder: Path):
        """Reads what a search before has left in a run folder, if any."""
        self._folder = folder
        self._trials = {}
        self.seconds_before = 0.0
        path = folder / _STATE
        if path.exists():
            state = read_json(path, MOST_TABLE_BYTES)
            if not is_like(state, _STATE_SCHEMA):
                raise UserError(
                    f"{path} is damaged. Remove it to start the search again."
                )
            self._load(state)

    def find(self, candidate: Candidate, epochs: int) -> Trial | None:
        """Returns the trial of a candidate that is recorded, or None."""
        return self._trials.get((candidate, epochs))

    @property
    def trials(self) -> Sequence[Trial]:
        """All trials, in order."""
        return list(self._trials.values())

    def add(self, trial: Trial, seconds: float) -> None:
        """Adds a trial.

        Args:
            trial: The trial.
            seconds: Seconds of the run until now.
        """
        self._add(trial)
        state = {
            "seconds": seconds,
            "trials": [
                {**vars(x), "losses": x.losses.tolist()} for x in self.trials
            ],
        }
        write_json(self._folder / _STATE, state)
        rows = [
            (
                number,
                *x.candidate,
                x.epochs,
                x.loss,
                x.temperature,
                round(x.seconds, 2),
                round(x.seconds_per_epoch, 3),
            )
            for number, x in enumerate(self.trials, 1)
        ]
        write_csv(self._folder / "search.csv", [COLUMNS, *rows])

    def end(self) -> None:
        """Removes what only a resumed search needs."""
        (self._folder / _STATE).unlink(missing_ok=True)

    def by_point(self, points: Sequence[str]) -> list[Trial]:
        """Returns the trial with the lowest loss from each unfreeze point.

        Args:
            points: Unfreeze points in order; those that were not tried are
                left out.
        """
        of_points = [
            [x for x in self.trials if x.candidate.unfreeze_from == point]
            for point in points
        ]
        return [min(x, key=lambda one: one.loss) for x in of_points if x]

    def _load(self, state):
        self.seconds_before = state["seconds"]
        for facts in state["trials"]:
            known = {name: facts[name] for name in _TRIAL_SCHEMA}
            known["candidate"] = Candidate(*known["candidate"])
            known["losses"] = np.array(known["losses"], "float32")
            self._add(Trial(**known))

    def _add(self, trial):
        self._trials[trial.candidate, trial.epochs] = trial
