"""The choice among trials, by the one-standard-error rule."""

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
        more: The best trial that unfreezes more, or None.
    """

    trial: Trial
    head: Trial
    more: Trial | None

    @property
    def gain(self) -> Difference:
        """Loss of the head alone minus that of the trial chosen."""
        return paired_difference(self.head.losses, self.trial.losses)

    def describe(self) -> str:
        """Returns one sentence."""
        candidate, gain = self.trial.candidate, self.gain
        if candidate.unfreeze_from == "none":
            return "No unfreeze point lowers the loss against the head alone."
        return (
            f"Unfreezing from {candidate.unfreeze_from} lowers the loss by "
            f"{gain.mean:.3f} (95% CI {gain.low:.3f} to {gain.high:.3f}) "
            f"against the head alone; {self._describe_more()}."
        )

    def _describe_more(self):
        if self.more is None:
            return "unfreezing more was not tried"
        slower = self.more.seconds_per_epoch / self.trial.seconds_per_epoch
        epochs = f"{self.more.epochs} epoch{'s' * (self.more.epochs != 1)}"
        more = f"unfreezing more adds nothing measurable in {epochs}"
        if slower > 1:
            more += f" and takes {slower:.1f} times as long"
        return more


def choose(
    head: Trial, trials: Sequence[Trial], num_trained: Callable[[str], int]
) -> Choice:
    """Returns the choice: of those within the noise the one that trains least.

    Of several trials of its unfreeze point, that is the one of most epochs,
    since a run keeps the best of its epochs, and of these the best.

    Within the noise of the best are trials whose mean loss is at most a
    standard error of the paired difference above it, as with trees that are
    pruned (Breiman et al. 1984, section 3.4.3). The head alone is chosen only
    where no trial has a lower mean loss: each run begins with it, and keeps it
    if fine-tuning does not help.

    Args:
        head: Trial of the head alone.
        trials: Trials that the run can repeat.
        num_trained: Function from an unfreeze point to the number of layers
            that train.
    """
    trials = [head, *(x for x in trials if x.loss < head.loss)]
    best = min(trials, key=lambda trial: trial.loss)

    def depth(trial):
        return num_trained(trial.candidate.unfreeze_from)

    def is_as_good(trial):
        difference = trial.losses - best.losses
        error = difference.std() / np.sqrt(len(difference))
        return difference.mean() <= error

    chosen = min(
        filter(is_as_good, trials[1:]),
        key=lambda trial: (depth(trial), -trial.epochs, trial.loss),
        default=head,
    )
    deeper = [x for x in trials if depth(x) > depth(chosen)]
    more = min(deeper, key=lambda trial: trial.loss, default=None)
    return Choice(chosen, head, more)
