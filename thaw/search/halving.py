"""Successive halving over the options of fine-tuning.

Many candidates train for an epoch, a third of them for three, and the best of
these, where that fits, as long as the run (Jamieson & Talwalkar 2016,
arXiv:1502.07943; Li et al. 2018, arXiv:1603.06560). Augmentations are tried on
the survivors only: unfreeze point and learning rate matter more.
"""

from collections.abc import Callable, Sequence

from thaw.search.candidates import Candidate
from thaw.search.trial import Trial

_KEPT = 3  # one of so many goes on
# Shares of a search that are over after each round.
_POINTS_AND_RATES, _LONGER = 0.5, 0.75


def successive_halving(
    points: Sequence[str],
    rates: Sequence[float],
    augmentations: Sequence[str],
    epochs: int,
    run: Callable[[Candidate, int, float], Trial | None],
) -> list[Trial]:
    """Returns the trials of the last round, best first.

    Args:
        points: Unfreeze points.
        rates: Learning rates, the likeliest first.
        augmentations: Augmentations; the others are tried with what is best
            with the first.
        epochs: Epochs of the run.
        run: Function that runs a candidate for some epochs; its last argument
            is the share of the search that may be over then. None: it didn't
            fit.
    """

    def round_of(candidates, epochs, share):
        trials = [run(x, epochs, share) for x in candidates]
        return sorted((x for x in trials if x), key=lambda x: x.loss)

    first_one, *others = augmentations
    first = round_of(
        [Candidate(p, r, first_one) for r in rates for p in points],
        1,
        _POINTS_AND_RATES,
    )
    best = [x.candidate for x in first[: _thirds(len(first))]]
    some = min(3, epochs)
    second = round_of(best, some, _LONGER) or first
    survivors = [x.candidate for x in second[: _thirds(len(second))]]
    third = round_of(
        [x._replace(augment=name) for x in survivors for name in others],
        some,
        1.0,
    )
    third = sorted([*second, *third], key=lambda x: x.loss)
    if epochs <= some:
        return third
    finalists = [x.candidate for x in third[:_KEPT]]
    return round_of(finalists, epochs, 1.0) or third


def _thirds(count):
    return -(-count // _KEPT)
