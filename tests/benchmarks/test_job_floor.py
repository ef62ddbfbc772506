"""Tests for benchmarks/job_floor.py."""

from benchmarks import job_floor


def test_a_job_is_begun_with_the_flags_of_train_py(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    flags = [
        "--limit=10", "--backbone=vgg16_tiny", "--head_epochs=1",
        "--epochs=3", "--cache_views=2", "--frozen_runtime=tensorflow",
        "--frozen_precision=float32",
    ]  # fmt: skip
    training = job_floor.begin_training(flags, tmp_path)
    assert [stage.epochs for stage in training.stages] == [1, 3]
    # The photos as they are, for the head, and two views of each.
    assert job_floor.count_views(training) == 3 * len(training.splits.train)
