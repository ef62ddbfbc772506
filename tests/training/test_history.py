import numpy as np
import pytest

from model_zoo import build_model
from thaw.runs.writer import RunFolder
from thaw.training.history import KeptEpoch


@pytest.fixture
def kept_epoch(tmp_path):
    model = build_model("vgg16_tiny", weights="none", image_size=32)
    run = RunFolder.create(tmp_path / "run")
    kept = KeptEpoch(run, model, ["cat", "dog"])
    kept.start_stage("head", {})
    return kept


def test_it_keeps_what_the_best_epoch_confused(kept_epoch):
    for epoch, (val_loss, predicted) in enumerate(
        [(0.5, [0, 1]), (0.4, [1, 0]), (0.6, [1, 1])], start=1
    ):
        kept_epoch.accuracy.reset_state()
        kept_epoch.accuracy.update_state(
            np.array([0, 1]), np.array(predicted, "float32")[:, None]
        )
        logs = {"loss": 1, "accuracy": 1, "val_accuracy": 1}
        kept_epoch.add_epoch(epoch, 1.0, logs | {"val_loss": val_loss})
    assert kept_epoch.best["epoch"] == 2
    np.testing.assert_array_equal(kept_epoch.counts, [[0, 1], [1, 0]])


def test_a_loss_that_is_no_number_is_not_kept(kept_epoch):
    logs = {"loss": 1, "accuracy": 1, "val_accuracy": 1, "val_loss": np.nan}
    with pytest.raises(FloatingPointError, match="epoch 1"):
        kept_epoch.add_epoch(1, 1.0, logs)
    assert kept_epoch.best is None and kept_epoch.counts is None
