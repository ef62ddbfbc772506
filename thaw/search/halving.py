"""Successive halving over the options of fine-tuning.

Unfreeze points train for an epoch at a low learning rate, which moves little
and shows where there is something to gain; the options of a plain run train for
ten, if that takes less than half of the time. The best three points train for
three epochs, at two rates, and the best three of these for ten (Jamieson &
Talwalkar 2016, arXiv:1502.07943). Then the best is tried with other
augmentations, and all of that again with the next two rates, as in Hyperband
(Li et al. 2018, arXiv:1603.06560): something has trained for long before all
has been tried.
"""

from collections.abc import Callable, Sequence

from thaw.search.candidates import Candidate
from thaw.search.trial import Trial

_RATES_AT_A_TIME = 2
_FIRST_ROUND = 0.5  # share of a search that is over then
_POINTS, _LONG = 3, 3  # that go on to the second and to the third round


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
            before.
        run: Function that runs a candidate for some epochs; its last argument
            is the share of the search that may be over then. None: it didn't
            fit.
    """
    if not points:
        return []
    augmentation, *others = augmentations
    short, middle, long = epochs
    done = {}

    def run_all(candidates, epochs, share=1.0):
        found = []
        for key in [(candidate, epochs) for candidate in candidates]:
            trial = done.get(key) or run(*key, share)
            if trial is not None:
                done[key] = trial
                found.append(trial)
        return found

    first, *more = [Candidate(x, min(rates), augmentation) for x in points]
    of_points = run_all([first], short, _FIRST_ROUND)  # shows what epochs take
    run_all([first._replace(learning_rate=rates[0])], long, _FIRST_ROUND)
    of_points += run_all(more, short, _FIRST_ROUND)
    best_points = _ranked(of_points)[:_POINTS]
    alive = [x.candidate.unfreeze_from for x in best_points]
    if first.unfreeze_from not in alive:
        alive.append(first.unfreeze_from)  # it takes the least time
    for start in range(0, len(rates), _RATES_AT_A_TIME):
        two = rates[start : start + _RATES_AT_A_TIME]
        of_rates = run_all(
            [Candidate(x, rate, augmentation) for rate in two for x in alive],
            middle,
        )
        run_all([x.candidate for x in _ranked(of_rates)[:_LONG]], long)
        # In one epoch at a low rate, augmentation shows nothing.
        trained = [x for x in done.values() if x.epochs >= middle]
        for best in _ranked(trained)[:1]:
            augmented = [best.candidate._replace(augment=x) for x in others]
            run_all(augmented, best.epochs)
    return list(done.values())


def _ranked(trials):
    """Returns trials, the best first."""
    return sorted(trials, key=lambda trial: trial.loss)
