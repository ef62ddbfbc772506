import numpy as np
import pytest

from tests.support.clusters import clusters
from thaw.evaluation.label_noise import find_suspected


@pytest.mark.parametrize("num_classes", [2, 5])
def test_a_fifth_of_one_class_planted_is_found(num_classes):
    features, right = clusters([150] * num_classes)
    labels = right.copy()
    planted = np.flatnonzero(right == 1)[:30]
    labels[planted] = 0
    found, not_judged = find_suspected(features, labels)
    assert not_judged == []
    rows = [photo.row for photo in found]
    assert len(set(rows)) == len(rows)
    hits = len(set(rows) & set(planted))
    assert hits >= 0.85 * len(planted)
    assert hits >= 0.85 * len(rows)
    assert all(x.suggested == 1 for x in found if x.row in planted)
    probabilities = [photo.probability for photo in found]
    assert probabilities == sorted(probabilities, reverse=True)
    assert 0.6 <= min(probabilities) and max(probabilities) <= 1


def test_right_labels_are_hardly_suspected():
    features, labels = clusters([100] * 3)
    found, not_judged = find_suspected(features, labels)
    assert len(found) <= 2 and not_judged == []


def test_disagreement_is_no_error_where_classes_overlap():
    """A fifth of these points lie on the other side, all rightly labelled."""
    features, labels = clusters([400, 400], apart=0.27)
    sides = features @ (features[:400].mean(0) - features[400:].mean(0))
    assert 0.15 < ((sides < np.median(sides)) != labels).mean() < 0.3
    found, not_judged = find_suspected(features, labels)
    assert len(found) <= 8 and not_judged == []


def test_a_rare_class_is_not_suspected_for_being_rare():
    features, labels = clusters([160, 10], apart=0.45)
    found, not_judged = find_suspected(features, labels)
    assert found == [] and not_judged == []


def test_errors_in_the_large_of_two_uneven_classes_are_found():
    features, right = clusters([800, 90])
    labels = right.copy()
    labels[800:840] = 0  # in the large class: 5% of it
    found, _ = find_suspected(features, labels)
    rows = {photo.row for photo in found}
    assert len(rows & set(range(800, 840))) >= 36
    assert len(rows - set(range(800, 840))) <= 4


def test_classes_that_cannot_be_told_apart_are_not_judged():
    features, labels = clusters([200, 30, 200])
    features[labels == 1] = features[labels == 0][:30] + 0.01
    found, not_judged = find_suspected(features, labels)
    assert 1 in not_judged and 2 not in not_judged
    assert not {x.suggested for x in found} & set(not_judged)
    assert not set(labels[[x.row for x in found]]) & set(not_judged)
    noise = np.random.default_rng(0).normal(size=(170, 20))
    labels = np.repeat([0, 1], [160, 10])
    assert find_suspected(noise, labels) == ([], [0, 1])


def test_there_must_be_something_to_compare_with():
    features, labels = clusters([10, 10])
    labels[:] = 0
    assert find_suspected(features, labels) == ([], [0])
    labels[3] = 4  # a class of one photo
    assert find_suspected(features, labels) == ([], [0, 4])


def test_a_class_of_few_photos_leaves_the_others_judged():
    features, labels = clusters([60, 60, 3])
    labels[:3] = 1
    found, not_judged = find_suspected(features, labels)
    assert not_judged == [2] and {x.row for x in found} >= {0, 1, 2}


def test_no_photo_is_judged_by_others_of_its_group():
    """Each group looks like itself only, which says nothing of its class."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 80)
    groups = np.repeat(np.arange(16), 10)
    features = 5 * np.eye(16)[groups] + 0.1 * rng.normal(size=(160, 16))
    assert find_suspected(features, labels, groups)[1] == [0, 1]
    assert find_suspected(features, labels)[1] == []


def test_a_class_that_a_fold_is_not_fitted_on(recwarn):
    """Its two groups are held out together, with most of another class."""
    counts = np.array([[0, 2, 3, 1], [2, 0, 0, 4], [4, 4, 2, 0]])
    labels, groups = np.nonzero(counts)
    labels, groups = (
        np.repeat(x, counts[labels, groups]) for x in (labels, groups)
    )
    _, not_judged = find_suspected(np.eye(3)[labels], labels, groups)
    assert 1 in not_judged and not recwarn.list


def test_labels_need_not_be_0_to_c():
    """A folder to evaluate may lack classes of the model."""
    features, labels = clusters([60, 60])
    labels = np.array([2, 7])[labels]
    wrong = labels.copy()
    wrong[[0, 1, 2]] = 7
    found, _ = find_suspected(features, wrong)
    assert {(x.row, x.suggested) for x in found} >= {(0, 2), (1, 2), (2, 2)}
