from types import SimpleNamespace

import numpy as np
import pytest

from thaw.search.trial import Trials

TRAINED = SimpleNamespace(bad_step=None)


def judge(logits, labels, is_fine_tuned=True, trained=TRAINED, **given):
    """Returns losses and temperature of held-out photos of two classes."""
    probabilities = 1 / (1 + np.exp(-np.stack([-logits, logits], axis=1)))
    config = SimpleNamespace(given=set(given), **given)
    trials = SimpleNamespace(
        _predict=lambda *_: (labels, probabilities),
        _training=SimpleNamespace(config=config),
    )
    return Trials._judge(trials, None, trained, is_fine_tuned)


@pytest.fixture
def photos():
    """Logits that are three times too large, and labels."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 4000)
    labels = (rng.random(4000) < 1 / (1 + np.exp(-logits))).astype(int)
    return 3 * logits, labels


def test_an_overconfident_model_is_judged_at_the_temperature_of_others(photos):
    losses, temperature = judge(*photos)
    assert temperature == pytest.approx(3, rel=0.1)
    calibrated, _ = judge(photos[0] / 3, photos[1])
    assert losses.mean() == pytest.approx(calibrated.mean(), rel=0.01)


def test_no_model_is_made_more_confident(photos):
    logits, labels = photos
    assert judge(logits / 9, labels)[1] == 1.0


def test_a_temperature_that_is_given_is_kept(photos):
    logits, labels = photos
    losses, temperature = judge(logits, labels, temperature=1.5)
    assert temperature == 1.5
    plain, _ = judge(logits / 1.5, labels, temperature=1.0)
    np.testing.assert_allclose(losses, plain, rtol=1e-4, atol=1e-4)


def test_the_head_is_judged_as_it_is(photos):
    losses, temperature = judge(*photos, is_fine_tuned=False)
    plain, _ = judge(*photos, temperature=1.0)
    assert temperature == 1.0
    np.testing.assert_allclose(losses, plain, rtol=1e-4, atol=1e-6)


def test_a_trial_that_became_nan_is_the_worst(photos):
    losses, _ = judge(*photos, trained=SimpleNamespace(bad_step=3))
    assert np.isinf(losses).all()
