import numpy as np
import pytest

from thaw.data.groups import (
    group_all,
    group_by_path,
    group_folds,
    group_numbers,
    join_groups,
)
from thaw.data.inspect_worker import Inspection
from thaw.data.photos import Photos
from thaw.errors import UserError


def photos_of(groups, digests=None):
    """Photos `0.jpg` and so on of one class; a digest is a letter."""
    return Photos(
        tuple(f"{row}.jpg" for row in range(len(groups))),
        np.zeros(len(groups), "int32"),
        ("cat",),
        inspections=tuple(Inspection(digest=x) for x in digests or ()),
        groups=tuple(groups),
    )


def test_groups_follow_their_photos():
    photos = photos_of("abc", "xyz")
    assert photos.take([2, 0]).groups == ("c", "a")
    assert (photos + photos.take([1])).groups == ("a", "b", "c", "b")
    assert photos.usable().with_class_names(("ant", "cat")).groups == (
        "a", "b", "c"
    )  # fmt: skip
    without = Photos.labelled(["0.jpg", "1.jpg"], ["cat", "dog"])
    assert (without + without).take([2, 0]).groups == ()


def test_the_group_is_looked_for_from_the_folder_on():
    paths = ("/data/p1/cat/p2_1.jpg", "/data/p1/dog/p3_1.jpg")
    photos = Photos.labelled(paths, ["cat", "dog"])
    names = [
        group_by_path(photos, folder, r"p(\d)").groups
        for folder in ("/data", "/data/p1")
    ]
    assert names == [("1", "1"), ("2", "3")]
    assert group_by_path(photos, "/data", "^p1/(...)/").groups == ("cat", "dog")


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (r"(p\d)/", "finds no group in 1 of 2 paths, e.g. dog/3.jpg$"),
        (r"(p\d", "is not a regular expression"),
        (r"p\d", "has no group. Expected the group in parentheses, e.g."),
    ],
)
def test_an_expression_that_does_not_fit_is_said(expression, words):
    photos = Photos.labelled(["/a/p1/1.jpg", "/a/dog/3.jpg"], ["cat", "dog"])
    with pytest.raises(UserError, match=words):
        group_by_path(photos, "/a", expression)


def test_photos_beside_groups_are_groups_of_their_own():
    others = Photos.labelled(["x.jpg", "y.jpg"], ["cat", "cat"])
    splits = group_all([others, photos_of("ab")])
    assert [x.groups for x in splits] == [("x.jpg", "y.jpg"), ("a", "b")]
    assert group_all([others])[0].groups == ()


def test_numbers_are_in_order():
    numbers = group_numbers(photos_of("bbacb"))
    assert numbers.tolist() == [0, 0, 1, 2, 0]
    assert group_numbers(photos_of("")) is None


def test_groups_with_a_file_in_common_are_one():
    # a and c share w, c and d share z, across splits: all three are one.
    train, validation = join_groups(
        [photos_of("aabb", "wxyy"), photos_of("ccde", "wzzv")]
    )
    assert train.groups == ("a", "a", "b", "b")
    assert validation.groups == ("a", "a", "a", "e")
    assert train.paths == ("0.jpg", "1.jpg", "2.jpg", "3.jpg")
    alone = Photos.labelled(["0.jpg", "1.jpg"], ["cat", "dog"])
    assert join_groups([alone, alone]) == [alone, alone]


def test_shuffled_folds_are_stratified():
    """scikit-learn before 1.8 dealt the groups out at random (#32540)."""
    rng = np.random.default_rng(0)
    of_group = (rng.random(100) < 0.2).astype(int)
    groups = np.repeat(np.arange(100), rng.integers(1, 12, 100))
    labels = of_group[groups]
    folds = group_folds(labels, groups, 5, seed=0)
    shares = [labels[rows].mean() for _, rows in folds]
    np.testing.assert_allclose(shares, labels.mean(), atol=0.02)
    sizes = [len(rows) / len(labels) for _, rows in folds]
    np.testing.assert_allclose(sizes, 0.2, atol=0.02)
    for fitted, rows in folds:
        assert not set(groups[fitted]) & set(groups[rows])
    other = group_folds(labels, groups, 5, seed=1)
    assert [x.tolist() for _, x in other] != [x.tolist() for _, x in folds]


def test_there_are_no_more_folds_than_groups():
    labels, groups = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1])
    assert len(group_folds(labels, groups, 5, seed=0)) == 2
    assert group_folds(labels, groups * 0, 5, seed=0) == []
    assert group_folds(np.array([0, 1]), np.array([0, 1]), 2, seed=0) == []
