import dataclasses

import numpy as np

from thaw.data.inspect_worker import Inspection
from thaw.data.photos import Photos
from thaw.training.conditions import _fingerprint
from thaw.training.resume import _changes

PHOTOS = Photos(
    ("a.jpg", "b.jpg", "c.jpg"),
    np.array([0, 1, 1], "int32"),
    ("cat", "dog"),
    inspections=tuple(Inspection(digest=digest) for digest in "xyz"),
)


def test_without_groups_the_fingerprint_is_that_of_older_runs():
    assert _fingerprint(PHOTOS) == "fce84a4a850bfcda"


def test_other_groups_are_other_photos():
    """A solved head depends on them, also where the split is the same."""
    found = {
        _fingerprint(dataclasses.replace(PHOTOS, groups=tuple(groups)))
        for groups in ("aab", "abb", "ccd")
    }
    assert len(found | {_fingerprint(PHOTOS)}) == 3  # whatever their names


def test_a_checkpoint_is_not_refused_for_options_that_are_younger():
    before = {"config": {"epochs": 3}}
    now = {"config": {"epochs": 3, "num_gpus": 1}}
    assert _changes(before, now, "config") == []
    now["config"]["num_gpus"] = 2
    assert _changes(before, now, "config") == ["  `num_gpus`: was 1, is 2"]
