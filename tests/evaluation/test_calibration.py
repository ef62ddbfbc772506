import numpy as np
import pytest

from thaw.evaluation import calibration, metrics


def overconfident(temperature, num_classes=3, num_photos=4000):
    """Logits that are right once they are divided by `temperature`."""
    rng = np.random.default_rng(4)
    logits = rng.normal(scale=1.5, size=(num_photos, num_classes))
    right = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(num_classes, p=row) for row in right])
    return labels, temperature * logits, right


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_is_found_and_undone(temperature):
    labels, logits, right = overconfident(temperature)
    found = calibration.fit_temperature(labels, logits)
    assert found == pytest.approx(temperature, rel=0.06)
    np.testing.assert_allclose(
        calibration.scale(logits, temperature), right, atol=1e-9
    )


def test_on_photos_it_has_not_seen_the_error_falls():
    labels, logits, _ = overconfident(3.0)
    probabilities = calibration.scale(logits, 1.0)
    before = metrics.calibration_error(labels, probabilities)
    scaled = calibration.scale_unseen(labels, logits)
    assert metrics.calibration_error(labels, scaled) < before / 4
    np.testing.assert_array_equal(scaled.argmax(axis=1), logits.argmax(axis=1))


def test_large_logits_do_no_harm():
    """In float32 such probabilities are 0 and 1."""
    labels, logits, _ = overconfident(12.0)
    temperature = calibration.fit_temperature(labels, logits)
    assert temperature == pytest.approx(12, rel=0.06)
    scaled = calibration.scale(np.array([[900, 0], [0, 800.0]]), temperature)
    assert np.isfinite(scaled).all()


def test_where_all_are_right_there_is_no_best_temperature():
    labels = np.array([0, 1, 1])
    logits = np.array([[3, 0], [0, 4], [0, 2.0]])
    assert calibration.fit_temperature(labels, logits) is None
    guesses = np.array([[0.1, 0], [0.1, 0], [0, 0.1], [0, 0.1]])
    wrong = np.array([1, 1, 0, 0])
    assert calibration.fit_temperature(wrong, guesses) is None
