import json
import zipfile

import keras
import numpy as np
import pytest

from errors import UserError
from model_zoo import build_model
from training.run_dir import choose_run_dir
from training.run_folder import RunFolder, point_latest_at


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
        with pytest.raises(UserError, match="--run_dir: cannot write"):
            RunFolder.create(path)


def test_folders_without_a_model_are_no_runs(tmp_path):
    with pytest.raises(UserError, match="has no model.keras"):
        RunFolder.open(tmp_path)
    (tmp_path / "model.keras").write_bytes(b"broken")
    (tmp_path / "class_names.json").write_text("[]")
    with pytest.raises(UserError, match="Is the file whole"):
        RunFolder.open(tmp_path).load_model()


def test_latest_points_to_the_newest(tmp_path):
    for name in ("a", "b"):
        RunFolder.create(tmp_path / name)
        point_latest_at(tmp_path / name)
        assert (tmp_path / "latest").resolve().name == name


def test_the_default_place_has_date_and_backbone():
    path = choose_run_dir(None, "models/my_base.keras")
    assert path.parts[0] == "runs" and path.name.endswith("-my_base")
