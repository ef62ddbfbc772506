import json

import keras
import numpy as np
import pytest

from model_zoo import build_model
from thaw.errors import NotFinite, NotVerified
from thaw.runs.writer import RunFolder
from thaw.training.best_model import BestModel
from thaw.training.history import History

LOGS = {"loss": 1, "accuracy": 1, "val_accuracy": 1}


@pytest.fixture
def folder(tmp_path):
    return RunFolder.create(tmp_path / "run")


@pytest.fixture
def history(folder):
    history = History(folder)
    history.start_stage("head", {})
    return history


@pytest.fixture
def best(folder):
    model = build_model("vgg16_tiny", weights="none", image_size=32)
    return BestModel(folder, model, ["cat", "dog"], is_default_folder=False)


def test_the_best_epoch_is_that_of_the_lowest_loss(history, best):
    assert best.save() is None and best.describe(0) == "No model was kept"
    for number, val_loss in enumerate([0.5, 0.4, 0.6, 0.4]):
        best._model.get_layer("head_output").bias.assign([number])
        row = history.add_epoch(LOGS | {"val_loss": val_loss}, 1.0)
        best.add_epoch(row, np.full((2, 2), number))
    assert best.row["epoch"] == 2
    np.testing.assert_array_equal(best.counts, np.full((2, 2), 1))
    best.save()
    best.put_weights_back()
    assert best._model.get_layer("head_output").bias.numpy() == [1]
    assert history.epochs_without_gain() == 2
    assert best.describe(4).startswith("Kept epoch 2 of 4 (head): validation")


def test_the_file_is_that_of_the_best_epoch_whenever_it_is_written(
    history, best, folder
):
    bias = best._model.get_layer("head_output").bias
    for number, val_loss in enumerate([0.5, 0.4, 0.6]):
        bias.assign([number])
        best.add_epoch(history.add_epoch(LOGS | {"val_loss": val_loss}), None)
        assert not folder.model_path.exists()
    assert best.save() == folder.model_path
    saved = keras.saving.load_model(folder.model_path)
    assert saved.get_layer("head_output").bias.numpy() == [1]
    assert bias.numpy() == [2]  # the epoch that trains goes on
    written = folder.model_path.stat().st_mtime_ns
    best.save()
    assert folder.model_path.stat().st_mtime_ns == written
    best.put_weights_back()
    assert bias.numpy() == [1]


def test_weights_of_a_file_that_are_not_those_saved_are_refused(
    history, best, folder
):
    best.add_epoch(history.add_epoch(LOGS | {"val_loss": 0.5}, 1.0), None)
    best.save()
    state, arrays = best.state()
    best._model.get_layer("head_output").bias.assign([7.0])
    folder.save_model(best._model, ["cat", "dog"])
    best.restore(state, arrays, None)
    with pytest.raises(NotVerified, match="not those that were trained"):
        best.put_weights_back()


def test_a_loss_that_is_nan_is_not_kept(history, best):
    with pytest.raises(NotFinite, match="NaN or Inf .stage head, epoch 1"):
        history.add_epoch(LOGS | {"val_loss": np.nan}, 1.0)
    assert best.row is None and best.counts is None


def test_steps_have_the_mean_loss_since_the_last(history):
    rates = {"head": np.arange(8.0), "upper": np.arange(8.0) / 10}
    history.start_stage("fine_tune", rates)
    history.add_steps(2, {"loss": 4.0})
    history.add_steps(4, {"loss": 3.0})
    assert [(x["step"], x["loss"]) for x in history.steps] == [(2, 4), (4, 2)]
    assert history.steps[-1]["rate_head"] == 3.0
    assert history.learning_rate == 3.0
    assert history.learning_rates["head"] == [0, 1, 2, 3]
    assert np.isnan(history.learning_rates["lower"]).all()
    state, arrays = history.state()
    state = json.loads(json.dumps(state))
    history.add_steps(6, {"loss": 9.0})
    history.restore(state, arrays)
    assert len(history.steps) == 2 and history.learning_rates["head"][-1] == 3
