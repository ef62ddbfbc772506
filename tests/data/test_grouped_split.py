import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thaw.data.grouped_split import grouped_rows
from thaw.data.photos import Photos


def make_photos(labels, groups):
    """Photos of classes and groups given as ints."""
    labels = np.asarray(labels, "int32")
    names = tuple(f"class{label}" for label in range(labels.max() + 1))
    paths = tuple(f"{row}.jpg" for row in range(len(labels)))
    return Photos(paths, labels, names, groups=tuple(map(str, groups)))


def shares(photos, rows):
    """Share of each class that is in `rows`."""
    counts = np.bincount(photos.labels)
    return np.bincount(photos.labels[rows], minlength=len(counts)) / counts


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.data())
def test_each_group_is_in_one_split_and_each_class_in_both(data):
    num_classes = data.draw(st.integers(2, 5))
    num_groups = data.draw(st.integers(2, 25))
    sizes = data.draw(
        st.lists(st.integers(1, 9), min_size=num_groups, max_size=num_groups)
    )
    # Groups of one class, at least two of each, then some of any.
    of_group = np.arange(max(num_groups, 2 * num_classes)) % num_classes
    sizes += [1] * (len(of_group) - num_groups)
    groups = np.repeat(np.arange(len(of_group)), sizes)
    labels = of_group[groups]
    if data.draw(st.booleans()):  # now each group may have several classes
        labels = np.random.default_rng(num_groups).permutation(labels)
    photos = make_photos(labels, groups)
    fraction = data.draw(st.sampled_from([0.01, 0.2, 0.35, 0.5, 0.9]))
    seed = data.draw(st.integers(0, 9))
    rows = grouped_rows(photos, fraction, seed)
    assert sorted(np.concatenate(rows)) == list(range(len(labels)))
    assert all((np.diff(x) > 0).all() for x in rows)
    assert not set(groups[rows[0]]) & set(groups[rows[1]])
    assert set(labels[rows[0]]) == set(labels)
    for label in set(labels):
        is_class = labels == label
        alone = len(set(groups[is_class])) == 1
        if alone:
            assert label not in labels[rows[1]]
    is_pure = all(len(set(labels[groups == x])) == 1 for x in set(groups))
    if is_pure:  # then each class can be in both
        assert set(labels[rows[1]]) == set(labels)
    again = grouped_rows(photos, fraction, seed)
    np.testing.assert_array_equal(rows[1], again[1])


@pytest.mark.parametrize("fraction", [0.05, 0.2, 0.3, 0.4, 0.5, 0.8])
def test_the_share_of_each_class_is_near_the_fraction(fraction):
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(300), rng.integers(1, 9, 300))
    labels = rng.choice(4, 300, p=[0.5, 0.3, 0.1, 0.1])[groups]
    photos = make_photos(labels, groups)
    for seed in range(3):
        _, rows = grouped_rows(photos, fraction, seed)
        np.testing.assert_allclose(shares(photos, rows), fraction, atol=0.03)
        assert len(rows) / len(labels) == pytest.approx(fraction, abs=0.015)


def test_the_split_depends_on_the_seed():
    photos = make_photos(np.arange(200) % 2, np.arange(200) // 4)
    chosen = {tuple(grouped_rows(photos, 0.2, seed)[1]) for seed in range(5)}
    assert len(chosen) == 5


def test_classes_of_two_groups_are_in_both_splits():
    """No fold of five has all of them: groups are added."""
    groups = np.repeat(np.arange(60), 3)
    photos = make_photos(groups // 2, groups)
    train, validation = grouped_rows(photos, 0.2, seed=0)
    assert len(set(photos.labels[train])) == 30
    assert len(set(photos.labels[validation])) == 30


def test_groups_with_the_only_photos_of_a_class_train():
    # Class 2 is in group 0 only, which has photos of class 0, too.
    labels = [0, 0, 2, 2, *(8 * [0]), *(8 * [1])]
    groups = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8]
    photos = make_photos(labels, groups)
    for seed in range(5):
        train, validation = grouped_rows(photos, 0.25, seed)
        assert "0" not in photos.take(validation).groups
        assert set(photos.labels[train]) == {0, 1, 2}
        assert set(photos.labels[validation]) == {0, 1}


def test_every_group_may_have_to_train():
    photos = make_photos([0, 0, 1, 1], [0, 0, 1, 1])
    train, validation = grouped_rows(photos, 0.2, seed=0)
    assert train.tolist() == [0, 1, 2, 3] and len(validation) == 0
