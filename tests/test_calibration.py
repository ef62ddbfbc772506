import numpy as np
import pytest

from evaluation import calibration, metrics


def overconfident(temperature, num_classes=3, num_photos=4000):
    """Probabilities that are right once they are cooled by `temperature`."""
    rng = np.random.default_rng(4)
    logits = rng.normal(scale=1.5, size=(num_photos, num_classes))
    right = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(num_classes, p=row) for row in right])
    sharp = np.exp(temperature * logits)
    return labels, sharp / sharp.sum(axis=1, keepdims=True), right


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_is_found_and_undone(temperature):
    labels, probabilities, right = overconfident(temperature)
    found = calibration.fit_temperature(labels, probabilities)
    assert found == pytest.approx(temperature, rel=0.06)
    np.testing.assert_allclose(
        calibration.scale(probabilities, temperature), right, atol=1e-4
    )


def test_on_photos_it_has_not_seen_the_error_falls():
    labels, probabilities, _ = overconfident(3.0)
    before = metrics.calibration_error(labels, probabilities)
    scaled = calibration.scale_unseen(labels, probabilities)
    assert metrics.calibration_error(labels, scaled) < before / 4
    np.testing.assert_array_equal(
        scaled.argmax(axis=1), probabilities.argmax(axis=1)
    )


def test_certainty_of_float32_does_no_harm():
    labels = np.array([0, 1, 1])
    probabilities = np.array([[1, 0], [0, 1], [1, 0]], "float32")
    temperature = calibration.fit_temperature(labels, probabilities)
    scaled = calibration.scale(probabilities, temperature)
    assert np.isfinite(scaled).all() and scaled[2, 0] < 1
