from types import SimpleNamespace

import numpy as np
import pytest

from thaw.errors import UserError
from thaw.evaluation.bootstrap import paired_difference
from thaw.evaluation.shared_photos import shared_scores


def test_equal_models_differ_by_nothing():
    right = np.array([1.0, 0, 1, 1, 0])
    assert paired_difference(right, right) == (0, 0, 0)
    assert paired_difference(right, right).within_noise


def test_a_difference_on_every_photo_has_no_noise():
    found = paired_difference(np.ones(50), np.full(50, 0.75))
    assert found == (0.25, 0.25, 0.25) and not found.within_noise


def test_a_large_difference_is_no_noise_and_a_small_one_is():
    right = np.zeros(1000)
    right[:900] = 1
    worse = right.copy()
    worse[:100] = 0
    found = paired_difference(right, worse)
    assert found.mean == pytest.approx(0.1) and not found.within_noise
    # Binomial: 100 of 1,000 photos, standard error 0.0095.
    assert found.low == pytest.approx(0.1 - 1.96 * 0.0095, abs=0.003)
    assert found.high == pytest.approx(0.1 + 1.96 * 0.0095, abs=0.003)
    other = right.copy()
    other[:12] = 0
    other[990:] = 1
    assert paired_difference(right, other).within_noise


def test_the_seed_says_what_is_drawn(monkeypatch):
    rng = np.random.default_rng(0)
    values, others = rng.normal(size=(2, 40))
    first = paired_difference(values, others)
    assert first == paired_difference(values, others)
    assert first != paired_difference(values, others, seed=1)
    # In parts, as for many photos, the draws are the same.
    monkeypatch.setattr("thaw.evaluation.bootstrap._DRAWN_AT_A_TIME", 400)
    assert first == pytest.approx(paired_difference(values, others))


@pytest.mark.parametrize("true", [0.0, 0.05])
def test_the_interval_holds_the_truth_in_95_of_100_cases(true):
    """Two models which differ on 15% of 200 photos, simulated 400 times."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        drawn = rng.random(200)
        better = drawn < (0.15 + true) / 2
        worse = drawn > 1 - (0.15 - true) / 2
        found = paired_difference(better, worse, num_resamples=500)
        held += found.low <= true <= found.high
    # Five standard errors of 400 cases are 0.054.
    assert 0.90 <= held / 400 <= 0.99


@pytest.mark.parametrize("shapes", [(3, 4), (0, 0), ((2, 2), (2, 2))])
def test_values_that_are_not_of_the_same_photos_are_refused(shapes):
    with pytest.raises(ValueError, match="same shape"):
        paired_difference(*map(np.zeros, shapes))


def predictions(rows, class_names=("cat", "dog")):
    paths, labels, predicted, probabilities = zip(*rows, strict=True)
    return SimpleNamespace(
        paths=paths,
        labels=labels,
        predicted=predicted,
        class_names=list(class_names),
        probabilities=np.array(probabilities),
    )


def test_photos_are_matched_by_path_and_label_and_classes_by_name():
    first = predictions(
        [
            ("p/a.jpg", "cat", "cat", (0.8, 0.2)),
            ("p/b.jpg", "dog", "cat", (1.0, 0.0)),
            ("p/relabelled.jpg", "dog", "dog", (0.1, 0.9)),
            ("p/only.jpg", "dog", "dog", (0.1, 0.9)),
        ]
    )
    second = predictions(
        [
            ("p/relabelled.jpg", "cat", "dog", (0.9, 0.1)),
            ("./p/b.jpg", "dog", "dog", (0.7, 0.3)),
            ("p/a.jpg", "cat", "dog", (0.6, 0.4)),
        ],
        class_names=("dog", "cat"),
    )
    right, losses = shared_scores(first, second)
    assert right.tolist() == [[1, 0], [0, 1]]
    np.testing.assert_allclose(
        losses,
        -np.log([[0.8, np.finfo("float64").eps], [0.4, 0.7]]),
        rtol=1e-12,
    )


def test_models_of_other_classes_are_refused():
    first = predictions([("a", "cat", "cat", (1, 0))])
    second = predictions([("a", "cat", "cat", (1, 0))], ("cat", "fox"))
    with pytest.raises(UserError, match="classes differ"):
        shared_scores(first, second)
