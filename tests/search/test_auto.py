import numpy as np
import pytest

from tests.support.training import epochs_of, resume, train
from thaw.errors import Stopped, UserError
from thaw.runs import reader
from thaw.search import auto, trial

pytestmark = pytest.mark.slow
OPTIONS = {
    "backbone": "vgg16_tiny", "weights": "none", "image_size": 32,
    "batch_size": 8, "epochs": 4, "cache_dtype": "float32",
    "frozen_runtime": "tensorflow", "frozen_precision": "float32",
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def few_photos():
    """Lets a search hold out some of few photos."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auto, "_FEWEST", 1)
        yield


@pytest.fixture(scope="module")
def searched(drawn_photos, tmp_path_factory):
    """A run with a search, and its folder."""
    folder = tmp_path_factory.mktemp("search")
    run = train(
        folder / "run", data=drawn_photos, trials=9,
        cache_dir=folder / "cache", **OPTIONS,
    )  # fmt: skip
    return run, folder


def rows_of(folder):
    lines = (folder / "search.csv").read_text().splitlines()
    return [line.split(",")[:6] for line in lines]  # without seconds


def test_a_search_chooses_options_that_repeat_the_run(searched, drawn_photos):
    run, folder = searched
    assert run.config.unfreeze_from != "auto" and run.config.trials is None
    assert [x.name for x in run.stages][0] == "head"
    assert len(rows_of(folder / "run")) == 1 + 9
    assert not (folder / "run/search.json").exists()
    flags = reader.load_flags(folder / "run")
    assert not [x for x in flags if "trials" in x or "auto" in x]
    options = {x: getattr(run.config, x) for x in run.config.given}
    again = train(
        folder / "again",
        **options | {"data": drawn_photos, "cache_dir": folder / "empty"},
    )
    assert epochs_of(again) == epochs_of(run)
    for a, b in zip(run.model.weights, again.model.weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_search_that_is_stopped_loses_one_trial(
    searched, drawn_photos, monkeypatch
):
    run, folder = searched
    trained = trial.Trials.run
    seen = []

    def run_some(trials, candidate, epochs):
        seen.append(candidate)
        if len(seen) == 5:
            raise Stopped(2)
        return trained(trials, candidate, epochs)

    monkeypatch.setattr(trial.Trials, "run", run_some)
    with pytest.raises(Stopped):
        train(
            folder / "stopped", data=drawn_photos, trials=9,
            cache_dir=folder / "cache", **OPTIONS,
        )  # fmt: skip
    assert (folder / "stopped/model.keras").exists()
    seen.extend([None] * 5)  # no more stops
    resumed = resume(folder / "stopped")
    assert len(seen) == 5 + 5 + 5  # four of nine were known
    assert rows_of(folder / "stopped") == rows_of(folder / "run")
    assert epochs_of(resumed) == epochs_of(run)


def test_a_trial_whose_loss_becomes_nan_ends_alone(
    drawn_photos, tmp_path, monkeypatch
):
    monkeypatch.setattr(auto.candidates, "_RATES", (1e30, 1e-4))
    run = train(
        tmp_path / "run", data=drawn_photos, trials=4,
        unfreeze_from="block5_conv1", cache_dir=tmp_path / "cache", **OPTIONS,
    )  # fmt: skip
    losses = [row[5] for row in rows_of(tmp_path / "run")]
    assert "inf" in losses
    assert run.config.learning_rate == 1e-4 or run.config.epochs == 0


def test_options_that_a_search_cannot_keep_are_refused(drawn_photos, tmp_path):
    for wrong in (
        {"mixup": True},
        {"epochs": 0},
        {"cache_views": 0},
        {"learning_rate": "find"},
    ):
        with pytest.raises(UserError, match=next(iter(wrong))):
            train(tmp_path / "run", data=drawn_photos, trials=2, **wrong)


def test_of_very_few_photos_none_are_held_out(
    drawn_photos, tmp_path, monkeypatch
):
    monkeypatch.setattr(auto, "_FEWEST", 40)
    run = train(
        tmp_path / "run", data=drawn_photos, trials=4,
        cache_dir=tmp_path / "cache", **OPTIONS,
    )  # fmt: skip
    assert (run.config.unfreeze_from, run.config.epochs) == ("none", 0)
    assert not (tmp_path / "run/search.csv").exists()


def test_candidates_whose_features_have_no_room_are_left_out(
    drawn_photos, tmp_path, capsys
):
    run = train(
        tmp_path / "run", data=drawn_photos, trials=9, silent=False,
        cache_dir=tmp_path / "cache", cache_limit_gb=2e-5, **OPTIONS,
    )  # fmt: skip
    points = {row[1] for row in rows_of(tmp_path / "run")[1:]}
    assert points == {"none"}
    assert " candidates that don't fit" in capsys.readouterr().out
    assert run.config.epochs == 0


def test_a_budget_for_no_trial_leaves_the_head(drawn_photos, tmp_path, capsys):
    run = train(
        tmp_path / "run", data=drawn_photos, budget="1s", silent=False,
        cache_dir=tmp_path / "cache", **OPTIONS,
    )  # fmt: skip
    assert [row[1] for row in rows_of(tmp_path / "run")[1:]] == ["none"]
    assert " candidates that don't fit" in capsys.readouterr().out
    assert (run.config.unfreeze_from, run.config.epochs) == ("none", 0)
