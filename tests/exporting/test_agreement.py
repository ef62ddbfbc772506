import numpy as np
import pytest

from thaw.exporting import agreement

EXPECTED = np.array([[0.9, 0.1], [0.2, 0.8], [0.50001, 0.49999]], "float32")
LABELS = np.array([0, 1, 1])


def compare(received):
    return agreement.compare(EXPECTED, np.array(received, "float32"), LABELS)


def test_equal_answers():
    found = compare(EXPECTED)
    assert found == (3, 0, 0.0, pytest.approx(2 / 3), 0.0)
    assert agreement.why_refused(found, True, 0.0) is None


def test_on_the_fence_the_last_bits_may_decide():
    found = compare([[0.9, 0.1], [0.2, 0.8], [0.49999, 0.50001]])
    assert found.labels_differ == 0
    assert found.accuracy == 1.0
    assert found.accuracy_lost == pytest.approx(-1 / 3)
    assert agreement.why_refused(found, True, 0.0) is None


def test_another_label_is_refused_however_small_the_difference():
    expected = np.array([[0.5002, 0.4998]])
    received = np.array([[0.4999, 0.5001]])
    found = agreement.compare(expected, received, np.array([0]))
    assert found.labels_differ == 1
    assert (
        "another class than Keras for 1 of 1 photos"
        in agreement.why_refused(found, True, 0.0)
    )


def test_other_probabilities_are_refused():
    found = compare(EXPECTED + [[0.002, -0.002], [0, 0], [0, 0]])
    assert found.labels_differ == 0
    assert "up to 0.002" in agreement.why_refused(found, True, 0.0)
    assert agreement.why_refused(found, False, 0.0) is None


def test_rounded_exports_go_by_accuracy():
    found = compare(EXPECTED[:, ::-1])
    assert found.accuracy_lost == pytest.approx(1 / 3)
    assert agreement.why_refused(found, False, 0.4) is None
    assert "loses 33.3% in accuracy, more than" in agreement.why_refused(
        found, False, 0.3
    )


@pytest.mark.parametrize("is_exact", [True, False])
def test_nan_is_refused(is_exact):
    found = compare(EXPECTED * np.nan)
    assert "NaN" in agreement.why_refused(found, is_exact, 1.0)


def test_answers_keep_the_order_of_the_photos():
    photos = [np.full((1, 2, 3 + n, 3), n, "float32") for n in range(5)]
    done = []
    answers = agreement.answer(
        lambda photo: photo[:, 0, 0, :2], photos, done.append
    )
    assert answers.probabilities[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert answers.milliseconds > 0
    assert done == [1, 2, 3, 4, 5]
