"""Successive halving over the options of fine-tuning.

Many candidates train for an epoch, half of them for three, and the best of
these, where that fits, for ten (Jamieson & Talwalkar 2016, arXiv:1502.07943).
So it goes with two learning rates, then with the next two: as in Hyperband (Li
et al. 2018, arXiv:1603.06560), something has trained for long before all has
been tried. Augmentations are tried with the best only: unfreeze point and
learning rate matter more.
"""

from collections.abc import Callable, Sequence

from thaw.search.candidates import Candidate
from thaw.search.trial import Trial

_LONGEST = 3  # trials that train the longest
_RATES_AT_A_TIME = 2
_FIRST_ROUND = 0.6  # share of a search that is over then


def successive_halving(
    points: Sequence[str],
    rates: Sequence[float],
    augmentations: Sequence[str],
    epochs: Sequence[int],
    run: Callable[[Candidate, int, float], Trial | None],
) -> list[Trial]:
    """Returns all trials.

    Args:
        points: Unfreeze points, the one that trains least first.
        rates: Learning rates, the likeliest first.
        augmentations: Augmentations; the others are tried with what is best
            with the first.
        epochs: Numbers of epochs of the three rounds, none less than the one
            before; a round of as many as before is left out.
        run: Function that runs a candidate for some epochs; its last argument
            is the share of the search that may be over then. None: it didn't
            fit.
    """
    augmentation, *others = augmentations
    short, middle, long = epochs
    trials, share = [], _FIRST_ROUND
    for start in range(0, len(rates), _RATES_AT_A_TIME):
        two = rates[start : start + _RATES_AT_A_TIME]
        candidates = [
            Candidate(x, y, augmentation) for x in points for y in two
        ]
        alive = _round(run, candidates, short, share)
        trials.extend(alive)
        share = 1.0
        if middle > short:
            half = -(-len(alive) // 2)
            alive = _round(run, _ranked(alive), middle, share, half)
            trials.extend(alive)
        best = _ranked(alive)[:1]
        augmented = [x._replace(augment=y) for x in best for y in others]
        augmented = _round(run, augmented, middle, share)
        trials.extend(augmented)
        if long > middle:
            alive = [*alive, *augmented]
            longest = _round(run, _ranked(alive), long, share, _LONGEST)
            trials.extend(longest)
    return trials


def _round(run, candidates, epochs, share, most=None):
    """Returns the trials of those that fit, in order, `most` at most."""
    trials = []
    for candidate in candidates:
        if len(trials) == most:
            break
        trial = run(candidate, epochs, share)
        if trial is not None:
            trials.append(trial)
    return trials


def _ranked(trials):
    """Returns the candidates of trials, the best first."""
    return [x.candidate for x in sorted(trials, key=lambda trial: trial.loss)]
