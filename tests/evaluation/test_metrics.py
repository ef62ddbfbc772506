import json

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from thaw.evaluation import metrics
from thaw.evaluation.evaluation import Evaluation, evaluate
from thaw.evaluation.metrics import ClassMetrics
from thaw.evaluation.predictions import Predictions

NAMES = ["cat", "dog", "owl"]


def some_predictions(num_classes, num_photos=200, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, num_classes, num_photos)
    logits = rng.normal(size=(num_photos, num_classes))
    logits[np.arange(num_photos), labels] += 1.5
    probabilities = np.exp(logits)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return labels, probabilities.astype("float32")


def predictions(labels, probabilities, names=NAMES):
    paths = [f"{row}.jpg" for row in range(len(labels))]
    return Predictions(
        paths, labels, probabilities, probabilities, probabilities, names
    )


@pytest.mark.parametrize("num_classes", [2, 3])
def test_the_numbers_are_those_of_scikit_learn(num_classes):
    labels, probabilities = some_predictions(num_classes)
    names = NAMES[:num_classes]
    found = evaluate(predictions(labels, probabilities, names))
    predicted = probabilities.argmax(axis=1)
    exact = probabilities.astype("float64")
    exact /= exact.sum(axis=1, keepdims=True)
    assert found.accuracy == sklearn_metrics.accuracy_score(labels, predicted)
    assert found.balanced_accuracy == pytest.approx(
        sklearn_metrics.balanced_accuracy_score(labels, predicted), abs=1e-12
    )
    assert found.log_loss == pytest.approx(
        sklearn_metrics.log_loss(labels, exact), abs=1e-6
    )
    one_hot = np.eye(num_classes)[labels]
    brier = ((exact - one_hot) ** 2).sum(axis=1).mean()
    if num_classes == 2:  # by tradition, half of it
        brier /= 2
    assert found.brier_score == pytest.approx(brier, abs=1e-6)
    for label, name in enumerate(names):
        assert found.classes[name] == ClassMetrics(
            support=(labels == label).sum(),
            precision=sklearn_metrics.precision_score(
                labels == label, predicted == label
            ),
            recall=sklearn_metrics.recall_score(
                labels == label, predicted == label
            ),
            f1=pytest.approx(
                sklearn_metrics.f1_score(labels == label, predicted == label)
            ),
            roc_auc=sklearn_metrics.roc_auc_score(
                labels == label, exact[:, label]
            ),
            average_precision=sklearn_metrics.average_precision_score(
                labels == label, exact[:, label]
            ),
        )
    assert np.sum(found.confusion_matrix) == len(labels)
    assert np.trace(found.confusion_matrix) == (labels == predicted).sum()


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
    found = evaluate(predictions(labels, probabilities))
    assert found.classes["owl"] == ClassMetrics(0)
    assert found.macro_recall == found.balanced_accuracy == 0.75
    assert found.macro_roc_auc is not None
    alone = evaluate(predictions(labels[:1], probabilities[:1]))
    assert alone.macro_roc_auc is None and alone.accuracy == 1


def test_the_verdict_is_one_sentence_or_two():
    labels = np.repeat([0, 1], 500)
    probabilities = np.eye(2)[labels]
    found = evaluate(predictions(labels, probabilities, ["cats", "dogs"]))
    assert str(found) == (
        "Accuracy 100.0% on 1,000 validation photos (95% CI 99.6-100.0%)."
    )
    probabilities[:12] = [0, 1]
    probabilities[500:526] = [0.9, 0.1]
    some = predictions(labels, probabilities, ["cats", "dogs"])
    found = evaluate(some, photos="photos in new")
    assert found.verdict == (
        "Accuracy 96.2% on 1,000 photos in new (95% CI 94.8-97.2%). Most "
        "common error: dogs predicted as cats (26 of 500)."
    )
    assert evaluate(some, min_count=26).most_confused == [("dogs", "cats", 26)]


def test_metrics_json_holds_all_of_it():
    labels, probabilities = some_predictions(3)
    found = evaluate(predictions(labels, probabilities))
    text = json.dumps(found.to_dict())
    again = Evaluation.from_dict(json.loads(text))
    assert json.dumps(again.to_dict()) == text
    assert again.verdict == found.verdict
    losses = [photo["loss"] for photo in found.top_losses]
    assert len(losses) == 50 and losses == sorted(losses, reverse=True)
    numbers = found.to_dict()
    assert numbers["support"] == 200 and "calibration" not in numbers
    assert {"macro_f1", "macro_roc_auc"} < numbers.keys()


def test_top_5_accuracy_of_more_than_ten_classes():
    # Of every photo, classes 6 to 10 are the most probable.
    probabilities = np.tile(np.arange(1, 12) / 66, (11, 1))
    labels = np.arange(11)
    assert metrics.top_5_accuracy(labels, probabilities) == 5 / 11
    assert metrics.top_5_accuracy(labels[:1], probabilities[:1]) == 0
    assert metrics.top_5_accuracy(labels[9:10], probabilities[:1]) == 1
    names = [f"c{number}" for number in labels]
    found = evaluate(predictions(labels, probabilities, names))
    assert "1.6-37.7%). Top-5 accuracy 45.5%. Most common" in found.verdict
    assert found.to_dict()["top_5_accuracy"] == found.top_5_accuracy == 5 / 11
    ten = evaluate(predictions(labels[:10], np.full((10, 10), 0.1), names[:10]))
    assert ten.top_5_accuracy is None and "Top-5" not in ten.verdict
    assert "top_5_accuracy" not in ten.to_dict()


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
