import json
import os
import shutil
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

import thaw
from model_zoo import build_model
from tests.support import hostile_classes, hostile_files
from thaw.errors import UserError
from thaw.runs.paths import choose_run_dir, point_latest_at
from thaw.runs.writer import RunFolder


@pytest.fixture(scope="module")
def model():
    return build_model("vgg16_tiny", weights="none")


def test_the_model_carries_its_class_names(tmp_path, model, images, recwarn):
    run = RunFolder.create(tmp_path / "run")
    run.save_model(model, ["cat", "dög"])
    with zipfile.ZipFile(run.path / "model.keras") as archive:
        metadata = json.loads(archive.read("metadata.json"))
    assert metadata["class_names"] == ["cat", "dög"]
    assert metadata["keras_version"] == keras.__version__
    assert metadata["thaw"] == thaw.__version__
    reloaded = keras.saving.load_model(run.path / "model.keras")
    np.testing.assert_array_equal(
        reloaded.predict_on_batch(images), model.predict_on_batch(images)
    )
    assert not [w for w in recwarn if "optimizer" in str(w.message)]


def test_files_are_replaced_whole_or_not_at_all(tmp_path, model):
    run = RunFolder.create(tmp_path / "run")
    run.save_class_names(["cat", "dog"])
    with pytest.raises(TypeError):
        run.save_class_names([object()])
    assert run.load_class_names() == ["cat", "dog"]
    run.save_model(model, ["cat", "dog"])
    content = (run.path / "model.keras").read_bytes()
    with pytest.raises(TypeError):
        run.save_model(model, [object()])
    assert (run.path / "model.keras").read_bytes() == content
    assert sorted(path.name for path in run.path.iterdir()) == [
        "class_names.json",
        "model.keras",
    ]


def test_an_existing_run_is_never_overwritten(tmp_path):
    (tmp_path / "run").mkdir()
    RunFolder.create(tmp_path / "run")  # empty: nothing is lost
    (tmp_path / "run" / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="never overwritten"):
        RunFolder.create(tmp_path / "run")
    with pytest.raises(UserError, match="is a file"):
        RunFolder.create(tmp_path / "run" / "notes.txt")


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "run", "/proc/run"):
        with pytest.raises(UserError, match="`run_dir`: cannot write"):
            RunFolder.create(path)


def test_folders_without_a_model_are_no_runs(tmp_path):
    with pytest.raises(UserError, match="has no model.keras"):
        RunFolder.open(tmp_path)
    (tmp_path / "model.keras").write_bytes(b"broken")
    (tmp_path / "class_names.json").write_text("[]")
    with pytest.raises(UserError, match="Is the file complete"):
        RunFolder.open(tmp_path).load_model()


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory, model):
    run = RunFolder.create(tmp_path_factory.mktemp("runs") / "run")
    run.save_class_names(["cat", "dog"])
    run.save_model(model, ["cat", "dog"])
    return run.path


@pytest.fixture
def others_run(tmp_path, run_dir):
    """A folder as somebody else may have changed it."""
    return Path(shutil.copytree(run_dir, tmp_path / "run"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('["cat", "dog", "owl"]', "has 2 classes, .* names 3"),
        ('{"cat": 0, "dog": 1}', "expected a list of names"),
        ('["cat", 7]', "expected a list of names"),
        ('["cat"]', "two names or more"),
        ('["cat", "cat"]', "each of them once"),
        (
            '["cat", "\\u001b[2Jdog"]',
            r"'\\x1b\[2Jdog' contains control",
        ),
        ("[" * 100_000, "Cannot read"),
        ('["cat", ', "Cannot read"),
        (" " * (1 << 24) + "[]", "too large"),
    ],
)
def test_names_that_are_not_the_models_are_refused(others_run, text, message):
    (others_run / "class_names.json").write_text(text)
    with pytest.raises(UserError, match=message):
        RunFolder.open(others_run).load_model()


def test_a_model_of_somebody_is_opened_like_any_file(others_run):
    path = hostile_classes.lambda_layer(others_run)
    assert path == others_run / "model.keras"
    with pytest.raises(UserError, match="keras.layers.Lambda"):
        RunFolder.open(others_run).load_model()
    assert not (others_run / hostile_files.CANARY).exists()


@pytest.mark.parametrize("layer", ["resize", "head_output"])
def test_a_model_that_train_py_did_not_leave_is_refused(others_run, layer):
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(3, 1, name="resize")(image)
    if layer != "resize":
        x = keras.layers.Resizing(8, 8, name="resize")(image)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dense(1, name="output")(x)
    keras.Model(image, x).save(others_run / "model.keras")
    with pytest.raises(UserError, match="not a model saved by train.py"):
        RunFolder.open(others_run).load_model()


@pytest.mark.parametrize("name", ["model.keras", "class_names.json"])
def test_a_pipe_in_a_run_folder_is_never_waited_for(others_run, name):
    (others_run / name).unlink()
    os.mkfifo(others_run / name)
    with pytest.raises(UserError, match=f"has no {name}"):
        RunFolder.open(others_run)


def test_documents_say_their_format_and_version(tmp_path):
    folder = RunFolder(tmp_path)
    folder.save_summary({"epochs": 3})
    folder.save_metrics({"support": 3})
    folder.save_exports({"exports": {}})
    for name in ("run.json", "metrics.json", "export.json"):
        content = json.loads((tmp_path / name).read_text())
        assert list(content)[:2] == ["format", "thaw"]
        assert content["format"] == 2
        assert content["thaw"] == thaw.__version__


def test_one_writer_at_a_time(tmp_path):
    folder = RunFolder(tmp_path)
    folder.lock()
    with pytest.raises(UserError, match="Another process is using"):
        RunFolder(tmp_path).lock()
    folder.unlock()
    folder.unlock()
    with RunFolder(tmp_path).lock():
        with pytest.raises(UserError, match="Wait for it to finish"):
            folder.lock()
    folder.lock()
    folder.unlock()
    assert not list(tmp_path.iterdir())  # no lock file is left


def test_leftovers_of_a_killed_process_are_removed(tmp_path):
    for path in (
        ".run.json.123", "checkpoint/.000001.123/state.json", ".saved.keras",
        ".notes", "a.123", "checkpoint/000001/state.json",
    ):  # fmt: skip
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    RunFolder(tmp_path).remove_leftovers()
    assert sorted(os.listdir(tmp_path)) == [".notes", "a.123", "checkpoint"]
    assert os.listdir(tmp_path / "checkpoint") == ["000001"]


def test_latest_points_to_the_newest(tmp_path):
    for name in ("a", "b"):
        RunFolder.create(tmp_path / name)
        point_latest_at(tmp_path / name)
        assert (tmp_path / "latest").resolve().name == name


def test_the_default_place_has_date_and_backbone():
    path = choose_run_dir(None, "models/my_base.keras")
    assert path.parts[0] == "runs" and path.name.endswith("-my_base")
