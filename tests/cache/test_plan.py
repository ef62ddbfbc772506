from typing import NamedTuple

import numpy as np
import pytest

from model_zoo import build_model
from thaw.cache.folder import CacheFolder
from thaw.cache.plan import CacheSettings, choose_num_views, plan_caches
from thaw.training.stage import Stage, Views

TRAIN_PHOTOS, VAL_PHOTOS = 100, 20
# float16 tensors of one photo at 32 px, and 8 bytes for its row: the head's
# input is 1 x 1 x 64, the input of block 5 is 2 x 2 x 64.
HEAD_BYTES, BLOCK5_BYTES = 2 * 64 + 8, 2 * 4 * 64 + 8
VIEW_BYTES = TRAIN_PHOTOS * BLOCK5_BYTES
# The head sees one view, and validation, too.
ONE_VIEW_BYTES = TRAIN_PHOTOS * HEAD_BYTES + VAL_PHOTOS * (
    HEAD_BYTES + BLOCK5_BYTES
)


class PhotoViews:
    """As `PhotoViews`, without photos."""

    def __init__(self, num_photos, augment=None):
        self.labels = np.zeros(num_photos, "int32")
        self.augment = augment
        self.photos = self

    def fingerprint(self):
        return str(len(self.labels))


def plan(folder, unfreeze_from="block5_conv1", augment="affine", epochs=10):
    model = build_model(
        "vgg16_tiny",
        image_size=32,
        weights="none",
        unfreeze_from=unfreeze_from,
    )
    stages = [
        Stage(model, "head", "none", 2, 1e-3, augmented=False),
        Stage(model, "fine_tune", unfreeze_from, epochs, 1e-5),
    ]
    settings = CacheSettings(
        folder, num_views=4, dtype="float16", batch_size=20, device=""
    )
    train, clean, validation = (
        PhotoViews(TRAIN_PHOTOS, augment),
        PhotoViews(TRAIN_PHOTOS),
        PhotoViews(VAL_PHOTOS),
    )
    views = Views(train, clean if augment else train, validation)
    return plan_caches(stages, views, TRAIN_PHOTOS, settings)


def views_of(inputs):
    return [(train.num_views, val.num_views) for train, val in inputs]


def test_every_stage_has_its_boundary_and_its_caches(tmp_path, capsys):
    head, fine_tune = plan(CacheFolder(tmp_path, 10**9))
    assert head[0].shapes == [(64,)]  # pooled
    assert fine_tune[0].shapes == [(2, 2, 64)]
    assert views_of([head, fine_tune]) == [(1, 1), (4, 1)]
    needed = (4 * VIEW_BYTES + ONE_VIEW_BYTES) / 1e9
    assert f"4 views of each photo take {needed:.2f} GB" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize(
    "limit, views",
    [
        (4 * VIEW_BYTES + ONE_VIEW_BYTES, 4),
        (4 * VIEW_BYTES + ONE_VIEW_BYTES - 1, 3),
        (VIEW_BYTES + ONE_VIEW_BYTES, 1),
    ],
)
def test_fewer_views_are_kept_where_they_do_not_fit(
    tmp_path, capsys, limit, views
):
    inputs = plan(CacheFolder(tmp_path, limit))
    assert views_of(inputs) == [(1, 1), (views, 1)]
    assert [train.lacks_room for train, _ in inputs] == [False, views < 4]
    lines = capsys.readouterr().out.splitlines()
    if views == 4:
        assert len(lines) == 1
    else:
        assert f"{views} views of each photo, not 4" in lines[0]


def test_where_one_view_does_not_fit_the_largest_are_not_kept(tmp_path, capsys):
    # The input of block 5 of the photos to train on is the largest by far.
    inputs = plan(CacheFolder(tmp_path, VIEW_BYTES + ONE_VIEW_BYTES - 1))
    assert views_of(inputs) == [(1, 1), (0, 1)]
    assert inputs[1][0].lacks_room
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Cache off for the largest features: ")
    assert f"{(VIEW_BYTES + ONE_VIEW_BYTES) / 1e9:.2f} GB" in lines[0]


def test_where_nothing_fits_nothing_is_kept(tmp_path, capsys):
    inputs = plan(CacheFolder(tmp_path, HEAD_BYTES * VAL_PHOTOS - 1))
    assert views_of(inputs) == [(0, 0)] * 2
    assert capsys.readouterr().out.startswith("Cache off: ")


def test_without_a_folder_nothing_is_kept(capsys):
    inputs = plan(None)  # it could not be made
    assert views_of(inputs) == [(0, 0)] * 2
    assert inputs[0][0].lacks_room
    assert capsys.readouterr().out == ""


def test_stages_with_the_same_boundary_share_their_caches(tmp_path):
    folder = CacheFolder(tmp_path, 10**9)
    head, fine_tune = plan(folder, "none", augment=None)
    assert head[0] is fine_tune[0]
    assert head[1] is fine_tune[1]
    # The head sees the photos as they are.
    head, fine_tune = plan(folder, "none")
    assert head[0] is not fine_tune[0]
    assert head[1] is fine_tune[1]


def test_where_no_weights_are_frozen_nothing_is_kept(tmp_path):
    inputs = plan(CacheFolder(tmp_path, 10**9), "all")
    assert views_of(inputs) == [(1, 1), (0, 0)]


def test_without_augmentation_there_is_one_view(tmp_path):
    inputs = plan(CacheFolder(tmp_path, 10**9), augment=None)
    assert views_of(inputs) == [(1, 1)] * 2


def test_no_more_views_are_kept_than_a_stage_sees(tmp_path):
    folder = CacheFolder(tmp_path, 10**9)
    assert views_of(plan(folder, epochs=3)) == [(1, 1), (3, 1)]


class Epochs(NamedTuple):
    epochs: int
    augmented: bool = True


@pytest.mark.parametrize(
    ("epochs", "photos_per_epoch", "views"),
    [(0, 100, 1), (3, 100, 1), (10, 100, 2), (37, 100, 7), (50, 20, 2)],
)
def test_a_view_is_kept_for_five_passes(epochs, photos_per_epoch, views):
    stages = [Epochs(30, augmented=False), Epochs(epochs)]
    assert choose_num_views(stages, photos_per_epoch, 100) == views
