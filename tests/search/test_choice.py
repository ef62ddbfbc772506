import numpy as np

from thaw.search.candidates import Candidate
from thaw.search.choice import choose
from thaw.search.trial import Trial

LAYERS = {"none": 1, "late": 4, "early": 9}


def trial(point, losses, epochs=3):
    candidate = Candidate(point, 1e-4, "none")
    losses = np.asarray(losses, "float32")
    seconds_per_epoch = {"none": 0.0, "late": 0.1, "early": 0.3}[point]
    return Trial(candidate, epochs, losses, 1.0, 1.0, seconds_per_epoch)


def chosen(head, *others):
    return choose(trial("none", head), others, LAYERS.get)


def test_unfreezing_that_helps_is_chosen_with_its_interval():
    rng = np.random.default_rng(0)
    head = rng.uniform(0.2, 0.4, 200)
    choice = chosen(
        head,
        trial("late", head - 0.05),
        trial("early", head - 0.1),
    )
    assert choice.trial.candidate.unfreeze_from == "early"
    assert choice.gain.low <= choice.gain.mean <= choice.gain.high
    assert "from early lowers the loss by 0.100 (95% CI" in choice.describe()
    assert choice.describe().endswith("unfreezing more was not tried.")


def test_of_those_within_the_noise_the_one_that_unfreezes_least():
    rng = np.random.default_rng(0)
    head = rng.uniform(0.2, 0.4, 200)
    noise = rng.normal(0, 0.3, 200)
    better = head - 0.1
    early = better - 0.005 + noise - noise.mean()
    choice = chosen(head, trial("early", early), trial("late", better))
    assert choice.trial.candidate.unfreeze_from == "late"
    assert choice.describe().endswith(
        "unfreezing more adds nothing measurable in 3 epochs and takes 3.0 "
        "times as long."
    )


def test_where_nothing_helps_it_is_the_head_alone():
    head = np.full(50, 0.3)
    nan = trial("early", np.full(50, np.inf))
    choice = chosen(head, nan, trial("late", head + 0.1))
    assert choice.more is None
    assert choice.trial.candidate.unfreeze_from == "none"
    assert choice.describe().startswith("No unfreeze point lowers the loss")


def test_a_gain_within_the_noise_is_taken_as_the_run_may_keep_its_head():
    rng = np.random.default_rng(0)
    head = rng.uniform(0.2, 0.4, 200)
    noise = rng.normal(0, 0.5, 200)
    late = head - 0.01 + noise - noise.mean()
    choice = chosen(head, trial("late", late))
    assert choice.trial.candidate.unfreeze_from == "late"
    assert choice.gain.within_noise


def test_of_one_unfreeze_point_the_longest_within_the_noise():
    rng = np.random.default_rng(0)
    head = rng.uniform(0.2, 0.4, 200)
    noise = rng.normal(0, 0.3, 200)
    better = head - 0.1
    longer = better + 0.005 + noise - noise.mean()
    found = chosen(
        head,
        trial("late", better, epochs=3),
        trial("late", longer, epochs=10),
        trial("late", better + 0.05, epochs=20),
    )
    assert found.trial.epochs == 10
