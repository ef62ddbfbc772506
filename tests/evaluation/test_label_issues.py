import numpy as np
import pytest

from tests.support.clusters import clusters
from thaw.evaluation.label_issues import (
    deal_blocks,
    find_in_blocks,
    find_label_issues,
)
from thaw.evaluation.label_noise import find_suspected


def test_rows_of_the_table_and_the_expected_errors():
    features, labels = clusters([60, 60, 2])
    labels[0] = 1
    paths = [f"{row}.jpg" for row in range(len(labels))]
    splits = ["train"] * len(labels)
    issues = find_label_issues(features, labels, paths, splits, "abc")
    first = issues.rows[0]
    assert first["path"] == "0.jpg" and first["probability"] > 0.9
    assert (first["label"], first["suggested"]) == ("b", "a")
    assert issues.not_judged == ("c",)
    expected = sum(row["probability"] for row in issues.rows)
    assert issues.expected_errors == pytest.approx(expected, abs=0.01)
    assert issues.to_dict()["not_judged"] == ["c"]


def test_few_photos_are_one_block():
    features, labels = clusters([60, 60, 3])
    labels[:3] = 1
    groups = np.arange(len(labels)) // 2
    assert find_in_blocks(features, labels, groups) == find_suspected(
        features, labels, groups
    )


def test_wrong_labels_are_found_in_every_block():
    features, right = clusters([900, 900, 80])
    labels = right.copy()
    planted = np.flatnonzero(right == 1)[::6]
    labels[planted] = 0
    found, not_judged = find_in_blocks(features, labels, most=480)
    assert not_judged == []
    rows = [photo.row for photo in found]
    hits = set(rows) & set(planted)
    assert len(hits) >= 0.85 * max(len(planted), len(rows))
    for block in deal_blocks(labels, 480):
        assert hits & set(block)
    probabilities = [photo.probability for photo in found]
    assert probabilities == sorted(probabilities, reverse=True)


def test_a_class_that_no_block_can_judge():
    features, labels = clusters([450, 450, 4])
    _, not_judged = find_in_blocks(features, labels, most=240)
    assert not_judged == [2]


def test_blocks_have_all_rows_and_the_same_shares():
    labels = np.repeat([3, 5, 9, 11], [7000, 2900, 120, 7])
    labels = np.random.default_rng(1).permutation(labels)
    blocks = deal_blocks(labels, 1000)
    assert len(blocks) == 11
    assert np.sort(np.concatenate(blocks)).tolist() == [*range(10_027)]
    counts = np.array([np.bincount(labels[x], minlength=12) for x in blocks])
    assert counts[:, 3].min() == 636 and counts[:, 3].max() == 637
    assert counts[:, 5].min() == 263 and counts[:, 5].max() == 264
    # Rare ones stay together.
    assert sorted(counts[:, 9]) == [0] * 10 + [120]
    assert sorted(counts[:, 11]) == [0] * 10 + [7]
    for block, again in zip(blocks, deal_blocks(labels, 1000), strict=True):
        assert np.array_equal(block, again) and (np.diff(block) > 0).all()
