from types import SimpleNamespace

import numpy as np
import pytest

from thaw.search.candidates import Candidate
from thaw.search.prices import Prices
from thaw.search.trial import Trial

LATE, EARLY = (Candidate(x, 1e-4, "flip") for x in ("late", "early"))


def prices(*trials, given=(), epochs=10):
    photos = SimpleNamespace(
        fit=np.arange(80),
        labels=np.zeros(100),
        seconds_per_pass=4.0,
        num_views=lambda augment, epochs: 2 if epochs == 10 else 1,
    )
    training = SimpleNamespace(
        splits=SimpleNamespace(validation=range(60)),
        config=SimpleNamespace(given=set(given), epochs=epochs),
    )
    return Prices(training, photos, SimpleNamespace(trials=trials))


def trial(candidate, epochs, seconds, seconds_per_epoch):
    losses = np.zeros(20, "float32")
    return Trial(candidate, epochs, losses, 1.0, seconds, seconds_per_epoch)


def test_a_trial_costs_its_epochs_and_the_views_that_are_not_stored():
    known = prices(trial(LATE, 1, 9.0, 3.0), trial(LATE, 1, 2.5, 2.0))
    assert known.trial(LATE, 3) == 3 * 2.0  # without compilation
    assert known.trial(LATE, 10) == 10 * 2.0 + 4.0
    assert known.trial(LATE._replace(augment="crop"), 3) == 3 * 2.0 + 4.0


def test_an_unfreeze_point_that_was_not_tried_costs_twice_as_much():
    known = prices(trial(LATE, 1, 9.0, 3.0), trial(LATE, 10, 40.0, 3.0))
    assert known.trial(EARLY, 1) == 2 * (40 - 30) + 2 * 3.0
    assert prices().trial(EARLY, 1) == 0


def test_the_rest_of_the_run_sees_all_photos():
    known = prices(trial(LATE, 1, 9.0, 2.0))
    of_one = known.rest(LATE, 2) - known.rest(LATE, 1)
    # 100 photos to train on for 80, and 60 to validate on at a third.
    assert of_one == pytest.approx(2.0 * (100 + 20) / 80)
    assert known.rest(EARLY, 2) > known.rest(LATE, 2)


def test_the_rest_of_the_run_has_the_epochs_that_are_given():
    known = prices(trial(LATE, 1, 9.0, 2.0), given={"epochs"}, epochs=5)
    assert known.rest(LATE, 1) == known.rest(LATE, 3)
