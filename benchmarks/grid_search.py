"""train.py with a grid instead of its search; run by `benchmarks.just_enough`.

    python -m benchmarks.grid_search --unfreeze_from=auto --trials=25 FLAGS

Four unfreeze points, three learning rates and two augmentations train for all
epochs, each from the solved head, on the photos that the search trains on and
from the same stored features. The one with the lowest loss on the held-out
photos, however little it is ahead, then trains on all training photos.
"""

import itertools
from unittest import mock

from thaw.cli import app
from thaw.search import auto
from thaw.search.candidates import Candidate
from thaw.search.choice import Choice

NUM_POINTS = 4
LEARNING_RATES = (1e-5, 1e-4, 1e-3)
AUGMENTATIONS = ("none", "flip")
NUM_TRIALS = 1 + NUM_POINTS * len(LEARNING_RATES) * len(AUGMENTATIONS)


def grid(points, _, __, epochs, run):
    """Returns all trials; stands for `successive_halving`."""
    options = itertools.product(
        points[:NUM_POINTS], LEARNING_RATES, AUGMENTATIONS
    )
    return [run(Candidate(*x), epochs[-1], 1.0) for x in options]


def lowest(head, trials, _):
    """Returns the one with the lowest loss; stands for `choose`."""
    best = min([head, *trials], key=lambda trial: trial.loss)
    return Choice(best, head, None)


if __name__ == "__main__":
    with (
        mock.patch.object(auto, "successive_halving", grid),
        mock.patch.object(auto, "choose", lowest),
    ):
        app.run("train")
