import csv

import keras
import pytest

from tests.support.training import epochs_of, train
from thaw.errors import UserError
from thaw.training.callbacks import check_callbacks

pytestmark = pytest.mark.slow

OPTIONS = {
    "limit": 20, "image_size": 32, "head_epochs": 1, "epochs": 2,
    "batch_size": 8, "seed": 5,
}  # fmt: skip


class Recorder(keras.callbacks.Callback):
    """Notes each call that `fit` would make once an epoch or less."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def on_train_begin(self, logs=None):
        self.calls.append("begin")

    def on_train_end(self, logs=None):
        self.calls.append("end")

    def on_epoch_begin(self, epoch, logs=None):
        self.calls.append(epoch)

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append((epoch, sorted(logs), logs["stage"]))


class Steps(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.batches = []

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(batch)
        assert {"loss", "accuracy"} <= set(logs)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The epochs of a run without callbacks."""
    return epochs_of(train(tmp_path_factory.mktemp("plain") / "run", **OPTIONS))


def test_they_are_called_as_fit_does_over_both_stages(plain, tmp_path):
    recorder = Recorder()
    training = train(tmp_path / "run", callbacks=[recorder], **OPTIONS)
    keys = sorted(
        ["accuracy", "learning_rate", "loss", "stage"]
        + ["val_accuracy", "val_loss"]
    )
    assert recorder.calls == [
        "begin",
        0, (0, keys, "head"),
        1, (1, keys, "fine_tune"),
        2, (2, keys, "fine_tune"),
        "end",
    ]  # fmt: skip
    assert recorder.model is training.model
    assert recorder.params["epochs"] == 3 and recorder.params["steps"] == 4
    assert epochs_of(training) == plain


def test_a_batch_hook_takes_steps_one_at_a_time_with_equal_bits(
    plain, tmp_path
):
    steps = Steps()
    training = train(tmp_path / "run", callbacks=[steps], **OPTIONS)
    assert training.callbacks.has_batch_hook
    assert steps.batches == [0, 1, 2, 3] * 3
    assert epochs_of(training) == plain


def test_a_callback_may_stop_training(tmp_path):
    stop = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: setattr(
            stop.model, "stop_training", True
        )
    )
    training = train(tmp_path / "run", callbacks=[stop], **OPTIONS)
    assert [row["stage"] for row in training.history.epochs] == ["head"]


def test_those_of_keras_work(plain, tmp_path):
    pytest.importorskip("tensorboard")
    callbacks = [
        keras.callbacks.ModelCheckpoint(
            tmp_path / "best.keras", monitor="val_loss", save_best_only=True
        ),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.EarlyStopping(monitor="val_loss", patience=9),
        keras.callbacks.TensorBoard(tmp_path / "logs"),
    ]
    training = train(tmp_path / "run", callbacks=callbacks, **OPTIONS)
    assert epochs_of(training) == plain
    with open(tmp_path / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(x["val_loss"]) for x in rows] == pytest.approx(
        [x["val_loss"] for x in plain]
    )
    assert keras.saving.load_model(tmp_path / "best.keras").inputs
    assert list((tmp_path / "logs" / "train").iterdir())


def test_those_that_do_what_thaw_does_are_refused():
    for callback, way_out in (
        (keras.callbacks.LearningRateScheduler(lambda x: x), "`schedule`"),
        (keras.callbacks.ReduceLROnPlateau(), "`schedule`"),
        (keras.callbacks.BackupAndRestore("x"), "`resume`"),
        (keras.callbacks.SwapEMAWeights(), "Drop it"),
        (
            keras.callbacks.EarlyStopping(restore_best_weights=True),
            "`early_stopping`",
        ),
        ("callback", "must be keras.callbacks.Callback"),
    ):
        with pytest.raises(UserError) as error:
            check_callbacks([callback])
        assert way_out in str(error.value)
