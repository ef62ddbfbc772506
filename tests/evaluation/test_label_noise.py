import numpy as np
import pytest

from thaw.evaluation.label_noise import find_suspected


def clusters(num_classes, per_class, seed=0):
    """Points around one middle per class, well apart; returns (x, labels)."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(num_classes), per_class)
    middles = rng.normal(scale=1.2, size=(num_classes, 20))
    return middles[labels] + rng.normal(size=(len(labels), 20)), labels


@pytest.mark.parametrize("num_classes", [2, 5])
def test_a_fifth_of_one_class_planted_is_found(num_classes):
    features, right = clusters(num_classes, 150)
    labels = right.copy()
    planted = np.flatnonzero(right == 1)[:30]
    labels[planted] = 0
    found = find_suspected(features, labels)
    rows = [photo.row for photo in found]
    assert len(set(rows)) == len(rows)
    hits = len(set(rows) & set(planted))
    assert hits >= 0.85 * len(planted)
    assert hits >= 0.85 * len(rows)
    assert all(x.suggested == 1 for x in found if x.row in planted)
    margins = [photo.margin for photo in found]
    assert margins == sorted(margins, reverse=True)
    assert 0 < min(margins) and max(margins) <= 1


def test_right_labels_are_hardly_suspected():
    features, labels = clusters(3, 100)
    assert len(find_suspected(features, labels)) <= 6


def test_there_must_be_something_to_compare_with():
    features, labels = clusters(2, 10)
    labels[:] = 0
    assert find_suspected(features, labels) == []
    labels[3] = 4  # a class of one photo
    assert find_suspected(features, labels) == []


def test_labels_need_not_be_0_to_c():
    """A folder to evaluate may lack classes of the model."""
    features, labels = clusters(2, 60)
    labels = np.array([2, 7])[labels]
    wrong = labels.copy()
    wrong[[0, 1, 2]] = 7
    found = find_suspected(features, wrong)
    assert {(x.row, x.suggested) for x in found} >= {(0, 2), (1, 2), (2, 2)}
