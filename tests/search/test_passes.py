from types import SimpleNamespace

import numpy as np
import pytest

from thaw.cache.folder import CacheFolder
from thaw.cache.shards import FeatureCache
from thaw.search.passes import Computed, FrozenPasses
from thaw.training.position import TrainingPosition
from thaw.training.stage import Views

TRAIN, VAL, BATCH = 10, 4, 2


class PhotoViews:
    """As `PhotoViews`, without photos."""

    def __init__(self, num_photos, kept=None):
        self.labels = np.zeros(num_photos, "int32")
        self.kept = kept

    def order(self, pass_index):
        return np.roll(np.arange(len(self.labels)), pass_index)


def make_caches(folder, key, num_views):
    return [
        FeatureCache(
            [(3,)], count, num_views=min(num_views, most), folder=folder,
            key=f"{key}-{name}",
        )
        for name, count, most in (("train", TRAIN, 9), ("val", VAL, 1))
    ]  # fmt: skip


def make_stage(caches, epochs, augmented=True, solver=None):
    return SimpleNamespace(
        epochs=epochs, augmented=augmented, solver=solver,
        train_cache=caches[0], val_cache=caches[1],
    )  # fmt: skip


def passes_of(stages, steps=TRAIN // BATCH, mix=None, kept=None):
    settings = SimpleNamespace(
        batch_size=BATCH, photos_per_epoch=BATCH * steps, mix=mix
    )
    train, clean = PhotoViews(TRAIN, kept), PhotoViews(TRAIN, kept)
    views = Views(train, clean, PhotoViews(VAL))
    return FrozenPasses(stages, settings, views)


def position(number, before, epoch=None, step=0, rate=None):
    epoch = before if epoch is None else epoch
    return TrainingPosition(number, before, epoch, step, rate, {})


@pytest.fixture
def folder(tmp_path):
    return CacheFolder(tmp_path, 10**9)


def test_the_head_sees_photos_as_they_are_and_the_next_stage_views(folder):
    head, tail = make_caches(folder, "a", 1), make_caches(folder, "b", 2)
    passes = passes_of(
        [make_stage(head, 3, augmented=False), make_stage(tail, 4)],
        kept=object(),
    )
    nothing = Computed()
    assert passes.epochs(0, position(0, 0)) == [
        Computed(decoded=TRAIN, validated=VAL), nothing, nothing,
    ]  # fmt: skip
    # Features of the validation photos were made along.
    assert passes.epochs(1, position(1, 3)) == [
        Computed(kept=TRAIN), Computed(kept=TRAIN), nothing, nothing,
    ]  # fmt: skip
    assert passes.report() == nothing


def test_what_is_stored_costs_nothing(folder):
    caches = make_caches(folder, "a", 1)
    caches[0].append(0, np.arange(6), [np.ones((6, 3))])
    passes = passes_of([make_stage(caches, 2)])
    assert passes.epochs(0, position(0, 0)) == [
        Computed(decoded=TRAIN - 6, validated=VAL), Computed(),
    ]  # fmt: skip


def test_without_a_cache_each_pass_and_the_report_compute_all(folder):
    caches = make_caches(folder, "a", 0)
    passes = passes_of([make_stage(caches, 2)], kept=object())
    assert passes.epochs(0, position(0, 0)) == [
        Computed(decoded=TRAIN, validated=VAL),
        Computed(kept=TRAIN, validated=VAL),
    ]
    assert passes.report() == Computed(kept=TRAIN, validated=VAL)


def test_mixes_are_never_stored(folder):
    caches = make_caches(folder, "a", 0)
    caches[1].num_views = 1
    passes = passes_of([make_stage(caches, 2)], mix=object())
    assert passes.epochs(0, position(0, 0)) == [
        Computed(decoded=TRAIN, validated=VAL), Computed(decoded=TRAIN),
    ]  # fmt: skip


def test_short_epochs_leave_photos_to_later_ones_and_the_report(folder):
    caches = make_caches(folder, "a", 1)
    passes = passes_of([make_stage(caches, 1)], steps=3)
    assert passes.epochs(0, position(0, 0)) == [
        Computed(decoded=6, validated=VAL)
    ]
    assert passes.report() == Computed(decoded=4)


def test_a_run_that_goes_on_computes_what_is_left(folder):
    caches = make_caches(folder, "a", 1)
    passes = passes_of([make_stage(caches, 3)])
    # The third epoch, but for three steps.
    assert passes.epochs(0, position(0, 0, epoch=2, step=3)) == [
        Computed(decoded=4, validated=VAL)
    ]


def test_a_range_test_sees_its_photos_first(folder):
    uncached, cached = make_caches(folder, "a", 0), make_caches(folder, "b", 1)
    (only,) = passes_of([make_stage(cached, 0)]).epochs(
        0, position(0, 0, rate="find")
    )
    assert only == Computed(decoded=TRAIN)
    first, second = passes_of([make_stage(uncached, 2)]).epochs(
        0, position(0, 0, rate="find")
    )
    # 100 steps of two photos, and the epoch.
    assert first == Computed(decoded=200 + TRAIN, validated=VAL)
    assert second == Computed(decoded=TRAIN, validated=VAL)


def test_a_solved_head_takes_one_pass(folder):
    caches = make_caches(folder, "a", 1)
    stage = make_stage(caches, 1, solver="linear")
    assert passes_of([stage]).epochs(0, position(0, 0)) == [
        Computed(decoded=TRAIN, validated=VAL)
    ]
