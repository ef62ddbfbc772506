import pickle

import pytest

from thaw import TrainConfig, UserError
from thaw.feature_parts import fill_part
from thaw.training import engine_filling, request
from thaw.training.engine_filling import fill_caches
from thaw.training.feature_job import FeatureJob
from thaw.training.preparing import preparing
from thaw.work.options import LOCAL, EngineOptions
from thaw.work.part import Part

OPTIONS = {
    "backbone": "vgg16_tiny", "unfreeze_from": "block5_conv1",
    "image_size": 32, "batch_size": 8, "limit": 12, "epochs": 1,
    "frozen_runtime": "tensorflow", "frozen_precision": "float32",
}  # fmt: skip
RAY = EngineOptions(engine="ray", workers=2)


def make_config(data, cache_dir, **changed):
    options = {**OPTIONS, **changed}
    return TrainConfig(data=str(data), cache_dir=str(cache_dir), **options)


def prepared_of(config):
    resolved, path = request.resolve(config, None, None, False, {})
    return preparing(resolved, path, verbose=0)


def shards(cache_dir):
    """Returns key, name and content of all shards."""
    return {
        (path.parent.name, path.name): path.read_bytes()
        for path in cache_dir.rglob("*.npy")
    }


def in_this_process(job, units, options, describe):
    """As `ray_engine.run`, with one worker."""
    worker = pickle.loads(pickle.dumps(job)).start()
    for unit in units:
        assert describe(unit).count(".jpg") >= 1
        yield unit, worker(unit)


@pytest.mark.parametrize("augment", ["flip", "none", "presize"])
def test_a_job_that_was_sent_writes_the_same_shards(
    drawn_photos, tmp_path, monkeypatch, augment
):
    monkeypatch.setattr(engine_filling.ray_engine, "run", in_this_process)
    alone = make_config(drawn_photos, tmp_path / "alone", augment=augment)
    fill_part(alone, Part(1, 2), verbose=0)
    fill_part(alone, Part(2, 2), verbose=0)
    sent = make_config(drawn_photos, tmp_path / "sent", augment=augment)
    with prepared_of(sent) as prepared:
        fill_caches(prepared, RAY)
        assert shards(tmp_path / "sent") == shards(tmp_path / "alone")
        # The caches of the run were not read before: they find all of it.
        for stage in prepared.stages:
            assert stage.train_cache.stored(0).all()
            assert stage.val_cache.stored(0).all()
        monkeypatch.setattr(engine_filling.ray_engine, "run", None)
        fill_caches(prepared, RAY)  # nothing is missing
        fill_caches(prepared, LOCAL)
    assert not [*(tmp_path / "sent").glob("probe-*")]


def test_a_worker_that_does_not_see_the_folders_is_refused(
    drawn_photos, tmp_path, monkeypatch
):
    config = make_config(drawn_photos, tmp_path)
    with prepared_of(config) as prepared:
        job = FeatureJob.of(prepared, "a-probe")
        with pytest.raises(UserError, match="see the cache folder .*cache_dir"):
            job.start()
        (tmp_path / "a-probe").touch()
        path = prepared.splits.train.paths[0]
        monkeypatch.setattr(
            "thaw.training.feature_job.os.path.exists", lambda x: x != path
        )
        with pytest.raises(UserError, match=f"see the photo {path}"):
            job.start()


@pytest.mark.parametrize("changed", [{"cache_views": 0}, {"cache_limit_gb": 0}])
def test_a_run_without_a_cache_is_nothing_for_ray(
    drawn_photos, tmp_path, changed
):
    with prepared_of(
        make_config(drawn_photos, tmp_path, **changed)
    ) as prepared:
        with pytest.raises(UserError, match="and this run keeps none"):
            fill_caches(prepared, RAY)
