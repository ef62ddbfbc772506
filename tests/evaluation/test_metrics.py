import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from thaw.evaluation import metrics

NAMES = ["cat", "dog", "owl"]


def some_predictions(num_classes, num_photos=200, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, num_classes, num_photos)
    logits = rng.normal(size=(num_photos, num_classes))
    logits[np.arange(num_photos), labels] += 1.5
    probabilities = np.exp(logits)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return labels, probabilities.astype("float32")


@pytest.mark.parametrize("num_classes", [2, 3])
def test_the_numbers_are_those_of_scikit_learn(num_classes):
    labels, probabilities = some_predictions(num_classes)
    names = NAMES[:num_classes]
    found = metrics.evaluate(labels, probabilities, names)
    predicted = probabilities.argmax(axis=1)
    exact = probabilities.astype("float64")
    assert found["accuracy"] == sklearn_metrics.accuracy_score(
        labels, predicted
    )
    assert found["balanced_accuracy"] == pytest.approx(
        sklearn_metrics.balanced_accuracy_score(labels, predicted), abs=1e-12
    )
    assert found["log_loss"] == pytest.approx(
        sklearn_metrics.log_loss(labels, exact), abs=1e-6
    )
    one_hot = np.eye(num_classes)[labels]
    brier = ((exact - one_hot) ** 2).sum(axis=1).mean()
    if num_classes == 2:  # by tradition, half of it
        brier /= 2
    assert found["brier_score"] == pytest.approx(brier, abs=1e-6)
    for label, name in enumerate(names):
        assert found["classes"][name] == {
            "photos": (labels == label).sum(),
            "precision": sklearn_metrics.precision_score(
                labels == label, predicted == label
            ),
            "recall": sklearn_metrics.recall_score(
                labels == label, predicted == label
            ),
            "f1": pytest.approx(
                sklearn_metrics.f1_score(labels == label, predicted == label)
            ),
            "roc_auc": sklearn_metrics.roc_auc_score(
                labels == label, exact[:, label]
            ),
            "average_precision": sklearn_metrics.average_precision_score(
                labels == label, exact[:, label]
            ),
        }
    assert np.sum(found["confusion_matrix"]) == len(labels)
    assert np.trace(found["confusion_matrix"]) == (labels == predicted).sum()


def test_the_interval_is_that_of_wilson():
    # 10 of 20, by the formula with z = 1.95996.
    z, n, p = 1.959964, 20, 0.5
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert metrics.wilson_interval(10, 20) == pytest.approx(
        [middle - half, middle + half], abs=1e-6
    )
    assert metrics.wilson_interval(20, 20)[1] == 1


def test_a_class_without_photos_has_no_curve():
    labels = np.array([0, 0, 1, 1])
    probabilities = np.eye(3)[[0, 1, 1, 1]] * 0.7 + 0.1
    found = metrics.evaluate(labels, probabilities, NAMES)
    assert found["classes"]["owl"]["roc_auc"] is None
    assert found["classes"]["owl"]["photos"] == 0
    assert found["classes"]["owl"]["recall"] is None
    assert found["mean_recall"] == 0.75
    assert found["balanced_accuracy"] == 0.75
    assert found["mean_roc_auc"] is not None
    alone = metrics.evaluate(labels[:1], probabilities[:1], NAMES)
    assert alone["mean_roc_auc"] is None and alone["accuracy"] == 1


def test_the_calibration_error_of_known_bins():
    # Sure to 0.8 and right half the time; sure to 0.6 and always right.
    probabilities = np.array([[0.8, 0.2]] * 4 + [[0.6, 0.4]] * 4)
    labels = np.array([0, 0, 1, 1, 0, 0, 0, 0])
    error = metrics.calibration_error(labels, probabilities)
    assert error == pytest.approx(0.5 * 0.3 + 0.5 * 0.4)


def test_most_confused_is_sorted_and_without_zeros():
    counts = np.array([[5, 2, 0], [0, 7, 9], [1, 0, 3]])
    assert metrics.most_confused(counts, NAMES) == [
        ("dog", "owl", 9),
        ("cat", "dog", 2),
        ("owl", "cat", 1),
    ]
