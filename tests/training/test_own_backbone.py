"""Runs that go on from the model of another run."""

import shutil

import keras
import numpy as np
import pytest
from PIL import Image

import thaw
from model_zoo.head import divide_logits
from tests.support import format1
from tests.support.interrupted import Killed, at_call, kill
from tests.support.training import results, resume, train
from thaw.errors import UserError
from thaw.evaluation.predictions import predict_labelled
from thaw.runs import paths, photo_tables, reader
from thaw.runs.model_file import save_model
from thaw.training.own_backbone import with_own_options

QUICK = {"head_epochs": 1, "epochs": 1, "batch_size": 8, "seed": 7}


class StopsBeforeTheFirstStep(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.model.stop_training = True


@pytest.fixture(scope="module")
def run(trained_run):
    return thaw.load_run(trained_run)


@pytest.fixture(scope="module")
def with_ants(drawn_photos, tmp_path_factory):
    """The photos of the run and a class more, which comes first in order."""
    folder = tmp_path_factory.mktemp("more") / "photos"
    shutil.copytree(drawn_photos, folder)
    rng = np.random.default_rng(0)
    (folder / "ant").mkdir()
    for number in range(12):
        pixels = rng.integers(0, 256, (40, 40, 3), "uint8")
        Image.fromarray(pixels).save(folder / "ant" / f"{number}.png")
    return folder


def before_the_first_step(tmp_path, **options):
    return train(
        tmp_path / "run", [StopsBeforeTheFirstStep()], **QUICK | options
    )


def accuracy(predictions):
    return (predictions.predicted == predictions.labels).mean(dtype="float32")


def names(paths):
    return {tuple(path.split("/")[-2:]) for path in paths}


def test_it_begins_with_the_accuracy_of_the_run_before(
    run, drawn_photos, tmp_path, capsys
):
    training = before_the_first_step(tmp_path, data=drawn_photos, backbone=run)
    photos = training.splits.validation
    validated = photo_tables.load_predictions(run.path)
    assert photos.paths == tuple(validated.paths)
    predictions, _ = predict_labelled(training.model, photos)
    before, _ = predict_labelled(run.model, photos)
    np.testing.assert_array_equal(
        predictions.probabilities, before.probabilities
    )
    assert accuracy(predictions) == np.float32(run.val_accuracy)
    assert capsys.readouterr().err == ""


def test_with_a_class_more_the_old_classes_are_told_apart_as_before(
    run, with_ants, tmp_path
):
    training = before_the_first_step(tmp_path, data=with_ants, backbone=run)
    assert training.class_names == ("cat", "dog", "ant")
    photos = training.splits.validation
    photos = photos.take(np.flatnonzero(photos.labels < 2))
    # None of them has trained the run before.
    validated = photo_tables.load_predictions(run.path)
    assert names(photos.paths) == names(validated.paths)
    now, _ = predict_labelled(training.model, photos)
    before, _ = predict_labelled(run.model, photos)
    np.testing.assert_array_equal(
        now.probabilities[:, :2].argmax(axis=1), before.predicted
    )
    assert accuracy(before) == np.float32(run.val_accuracy)


@pytest.mark.slow
def test_a_run_with_a_class_more_is_a_run_like_any_other(
    run, with_ants, tmp_path
):
    new = thaw.fine_tune(
        with_ants, backbone=run, run_dir=tmp_path / "new", verify=False,
        verbose=0, unfreeze_from="none", limit=8, head_epochs=1, epochs=0,
    )  # fmt: skip
    assert new.class_names == ("cat", "dog", "ant")
    assert new.summary["image_size"] == 48
    assert new.config.backbone == str(run.path)
    flags = reader.load_flags(new.path)
    assert "--pooling=flatten" in flags and f"--backbone={run.path}" in flags
    photo = next((with_ants / "cat").iterdir())
    (prediction,) = new.predict(photo)
    assert sum(x for _, x in prediction.top) == pytest.approx(1)
    card = (new.path / "README.md").read_text()
    assert run.path.name in card and str(run.path) not in card
    # And that may go on: one class less again, with what it says in its flags.
    config = with_own_options(thaw.TrainConfig(backbone=new, dropout=0.5))
    assert config.unfreeze_from == "none" and config.hidden_units == 256


@pytest.mark.slow
def test_it_is_resumed_from_the_model_it_began_with(
    run, drawn_photos, tmp_path
):
    source = tmp_path / "source"
    shutil.copytree(run.path, source)
    options = {
        "data": drawn_photos, "backbone": source, "limit": 4, "head_epochs": 2,
        "epochs": 0, "batch_size": 8, "checkpoint_minutes": 0,
    }  # fmt: skip
    train(tmp_path / "whole", **options)
    saves = ("thaw.training.state", "Checkpoints.save", 3)
    with at_call(*saves, kill), pytest.raises(Killed):
        train(tmp_path / "killed", **options)
    shutil.copytree(tmp_path / "killed", tmp_path / "copy")
    resume(tmp_path / "killed")
    assert results(tmp_path / "killed") == results(tmp_path / "whole")
    divide_logits(model := thaw.load_run(source).model, 2.0)
    save_model(source / "model.keras", model, run.class_names)
    with pytest.raises(UserError, match="model to go on from: was"):
        resume(tmp_path / "copy")
    shutil.rmtree(source)
    with pytest.raises(UserError, match="no run folder or file .*source"):
        resume(tmp_path / "copy")


def test_photos_that_the_run_before_trained_on_are_counted(
    run, drawn_photos, tmp_path, capsys
):
    before_the_first_step(
        tmp_path, data=drawn_photos, backbone=run, seed=1, limit=12
    )
    trained = {*photo_tables.load_training_photos(run.path)}
    assert len(trained) == 38
    (line,) = [x for x in capsys.readouterr().err.splitlines() if x]
    count = int(line.split()[0])
    assert 0 < count <= 4
    assert f"{count} of 4 validation photos are training photos of" in line


def test_a_new_head_is_said_and_has_the_options_of_any_head(run, capsys):
    config = with_own_options(
        thaw.TrainConfig(backbone=run, cut_at="block4_pool", hidden_units=8)
    )
    assert config.hidden_units == 8 and config.image_size == 48
    assert config.unfreeze_from is None and config.pooling == "auto"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden_units": 8}, "keeps `hidden_units=256`. Received: `hidden_"),
        ({"head": "linear"}, "keeps `head=dense`.*`cut_at=block5_pool`"),
        (
            {"pooling": "max", "dropout": 0.1},
            "`pooling=flatten`, `dropout=0.5`. Received: `pooling=max`, `dr",
        ),
        ({"image_size": 64}, "keeps `image_size=48`.*Drop that.$"),
        ({"resize": "pad"}, "keeps `resize=squash`"),
    ],
)
def test_head_options_that_contradict_are_refused(run, options, message):
    with pytest.raises(UserError, match=message):
        thaw.fine_tune(backbone=run, **options)


def test_options_that_agree_are_taken(run):
    config = with_own_options(
        thaw.TrainConfig(
            backbone=run.path / "model.keras", hidden_units=256, dropout=0.5,
            pooling="auto", image_size=48, preprocess="auto",
        )
    )  # fmt: skip
    assert config.backbone == str(run.path)
    assert config.pooling == "flatten"
    assert config.unfreeze_from == run.summary["unfreeze_from"]


def test_what_is_not_beside_a_file_is_in_it_or_asked_for(run, tmp_path):
    file = shutil.copy(run.path / "model.keras", tmp_path / "mine.keras")
    config = with_own_options(thaw.TrainConfig(backbone=file))
    assert config.backbone == str(tmp_path / "mine.keras")
    assert config.image_size == 48 and config.unfreeze_from is None


def test_a_run_of_format_1_says_where_it_was_unfrozen(tmp_path):
    run_dir = format1.lay_out("complete", tmp_path)
    config = with_own_options(thaw.TrainConfig(backbone=run_dir))
    assert config.unfreeze_from == "block1_conv2"
    assert config.head_arguments() == {
        "pooling": "avg",
        "hidden_units": 0,
        "dropout": 0.5,
    }


def test_a_run_folder_has_one_date_in_its_name():
    path = paths.choose_run_dir(None, "/runs/2026-11-26-045101-vgg16")
    assert path.name.endswith("-vgg16") and path.name.count("-") == 4
