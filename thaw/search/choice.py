"""The choice among trials: just enough, and what it rests on."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from thaw.evaluation.bootstrap import Difference, paired_difference
from thaw.search.trial import Trial


@dataclasses.dataclass(frozen=True)
class Choice:
    """Result of a search.

    Attributes:
        trial: The trial chosen.
        head: The trial of the head alone.
        gain: Loss of the head alone minus that of the trial chosen.
    """

    trial: Trial
    head: Trial
    gain: Difference

    def describe(self) -> str:
        """Returns one sentence."""
        candidate = self.trial.candidate
        if candidate.unfreeze_from == "none":
            return (
                "No unfreeze point lowers the loss measurably against the head "
                "alone."
            )
        return (
            f"Unfreezing from {candidate.unfreeze_from} lowers the loss by "
            f"{self.gain.mean:.3f} (95% CI {self.gain.low:.3f} to "
            f"{self.gain.high:.3f}) against the head alone."
        )


def choose(
    head: Trial, finalists: Sequence[Trial], num_trained: Callable[[str], int]
) -> Choice:
    """Returns the choice: of those within the noise the one that trains least.

    Within the noise of the best are trials whose mean loss is at most a
    standard error of the paired difference above it, as with trees that are
    pruned (Breiman et al. 1984, section 3.4.3).

    Args:
        head: Trial of the head alone.
        finalists: Trials of the last round.
        num_trained: Function from an unfreeze point to the number of layers
            that train.
    """
    trials = [head, *finalists]
    best = min(trials, key=lambda trial: trial.loss)

    def is_as_good(trial):
        difference = trial.losses - best.losses
        if not np.isfinite(difference).all():
            return False
        error = difference.std() / np.sqrt(len(difference))
        return difference.mean() <= error

    chosen = min(
        filter(is_as_good, trials),
        key=lambda trial: (
            num_trained(trial.candidate.unfreeze_from),
            trial.loss,
        ),
    )
    gain = paired_difference(head.losses, chosen.losses)
    return Choice(chosen, head, gain)
