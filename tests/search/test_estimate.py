import time

import pytest

import thaw
from tests.support import training as support
from thaw.search.estimate import Estimate, StageEstimate, estimate
from thaw.training.stages import run_stages

OPTIONS = {
    "limit": 20, "image_size": 32, "head_epochs": 1, "epochs": 2,
    "batch_size": 8, "frozen_runtime": "tensorflow",
    "frozen_precision": "float32",
}  # fmt: skip


def test_one_line_says_all():
    stages = (
        StageEstimate("head", (40.0, 0.0), (1.5, 0.5)),
        StageEstimate("fine_tune", (5.0, *[0.0] * 9), (4.0, *[3.0] * 9)),
    )
    found = Estimate(7.0, stages, 5.0, 420_000_000)
    assert str(found) == (
        "About 1 min 30 s: check 7 s, features 45 s, head 2 s, 10 epochs of "
        "3.1 s, report 5 s; 0.4 GB of disk"
    )
    assert found.total == 90
    assert found.seconds == {
        "check": 7, "features": 45, "head": 2, "fine_tune": 31, "report": 5,
    }  # fmt: skip
    cached = Estimate(7.0, (), 5.0, 20_000_000, at_most=True)
    assert str(cached) == (
        "At most about 12 s: check 7 s, report 5 s; 20 MB of disk"
    )


@pytest.mark.slow
def test_an_estimate_changes_no_bit_of_the_run(tmp_path, monkeypatch):
    support.train(tmp_path / "plain", cache_dir=tmp_path / "a", **OPTIONS)
    found = []

    def estimate_and_run(training, search):
        found.append(estimate(training, time.perf_counter()))
        run_stages(training, search)
        found.append(estimate(training, time.perf_counter()))

    monkeypatch.setattr(support, "run_stages", estimate_and_run)
    support.train(tmp_path / "estimated", cache_dir=tmp_path / "b", **OPTIONS)
    before, after = found
    assert support.results(tmp_path / "estimated") == support.results(
        tmp_path / "plain"
    )
    assert [(x.name, len(x.steps)) for x in before.stages] == [
        ("head", 1), ("fine_tune", 2),
    ]  # fmt: skip
    assert before.stages[0].features[0] > 0
    assert after.features == 0
    # One view of 32 + 8 photos: 64 numbers for the head, 4 x 64 for block 5.
    features = 40 * (2 * 64 + 8 + 2 * 4 * 64 + 8)
    assert before.disk_bytes - after.disk_bytes == features


@pytest.mark.slow
def test_estimate_run_leaves_no_run_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = thaw.estimate_run(verbose=0, **OPTIONS)
    assert list(found.seconds) == [
        "check", "features", "head", "fine_tune", "report",
    ]  # fmt: skip
    assert found.total == sum(found.seconds.values()) > 0
    assert list(tmp_path.iterdir()) == []
