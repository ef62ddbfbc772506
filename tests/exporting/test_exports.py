import importlib.util
import json
import logging
import os
import random
import shutil
import threading
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from thaw.errors import UserError
from thaw.exporting import onnx, photos, saved_model
from thaw.exporting.exports import export_run
from thaw.exporting.folder import ExportFolder
from thaw.exporting.variants import PACKAGES, choose_variants
from thaw.run import load_run


@pytest.fixture
def run(trained_run, tmp_path):
    return load_run(shutil.copytree(trained_run, tmp_path / "run"))


def state_of_process():
    return (
        random.getstate(),
        np.random.get_state()[1].tolist(),
        keras.config.dtype_policy(),
        logging.getLogger("tf2onnx").level,
        list(warnings.filters),
        dict(os.environ),
        os.getcwd(),
        tf.config.get_visible_devices(),
        threading.active_count(),
    )


def test_an_export_says_where_it_is_and_changes_nothing(run, capsys):
    weights = run.model.get_weights()
    export_run(run, "onnx", limit=1)  # packages are imported
    before = state_of_process()
    saved, converted = export_run(run, ["saved_model", "onnx"], limit=4)
    assert state_of_process() == before
    for first, second in zip(weights, run.model.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
    assert (saved.name, converted.name) == ("saved_model", "onnx")
    assert converted.path == run.path / "export" / "model.onnx"
    assert converted.size == converted.path.stat().st_size
    assert converted.refused is None
    assert converted.milliseconds > 0
    assert converted.agreement.photos == 4
    assert converted.agreement.labels_differ == 0
    assert converted.agreement.accuracy_lost == 0
    assert capsys.readouterr().out.endswith(
        f"In {run.path / 'export'}: saved_model, onnx\n"
    )
    photo = np.zeros((1, 50, 60, 3), "float32")
    for export, module in ((saved, saved_model), (converted, onnx)):
        expected = run.model(photo).numpy()[:, 0]
        answer = module.open_runner(export.path)(photo)[:, 1]
        np.testing.assert_allclose(answer, expected, atol=1e-5)


def test_other_photos_and_another_folder(run, drawn_photos, tmp_path):
    (export,) = export_run(
        run, data=drawn_photos, output_dir=tmp_path / "out", limit=10
    )
    assert export.path == tmp_path / "out" / "saved_model"
    assert export.agreement.photos == 10
    assert not (run.path / "export").exists()


@pytest.mark.slow
def test_an_export_that_fails_says_why_and_the_others_are_made(
    run, monkeypatch
):
    def fail(source, path):
        raise RuntimeError("An operation has no kernel.\nTraceback ...")

    monkeypatch.setattr(onnx, "write", fail)
    (run.path / "training_photos.csv").unlink()
    saved, *_, int8, converted = export_run(
        run, ["saved_model", "litert", "onnx"], limit=4
    )
    assert saved.refused is None and saved.path.is_dir()
    assert converted.path is converted.agreement is None
    assert converted.refused == (
        "onnx could not be made: RuntimeError: An operation has no kernel."
    )
    assert "int8 could not be made: the run folder has no" in int8.refused
    assert sorted(x.name for x in (run.path / "export").iterdir()) == [
        "export.json", "labels.txt", "model.tflite", "model_float16.tflite",
        "saved_model",
    ]  # fmt: skip


def test_photos_that_are_gone_are_refused_or_left_out(
    run, drawn_photos, tmp_path
):
    folder = shutil.copytree(drawn_photos, tmp_path / "photos")
    for photo in folder.glob("cat/*.jpg"):
        photo.write_bytes(b"")
    (export,) = export_run(run, data=folder, output_dir=tmp_path / "out")
    assert export.agreement.photos == 24
    for photo in folder.glob("dog/*.jpg"):
        photo.write_bytes(b"")
    with pytest.raises(UserError, match="Give photos to compare on: `data`"):
        export_run(run, data=folder, output_dir=tmp_path / "out")


def test_training_photos_that_are_gone_are_said(run):
    (run.path / "training_photos.csv").write_text("path,label\n/gone/1,cat\n")
    with pytest.raises(photos.NotMade, match="none .* e.g. /gone/1"):
        next(photos.load_training_photos(run))


def test_exports_of_another_model_do_not_stay(tmp_path):
    path = tmp_path / "export"
    path.mkdir()
    (path / "model.onnx").write_text("of before")
    facts = {
        "path": "model.onnx",
        "photos": 1,
        "accuracy": 1.0,
        "largest_difference": 0.0,
    }
    (path / "export.json").write_text(
        json.dumps({"model_sha256": "other", "copies": {"onnx": facts}})
    )
    folder = ExportFolder(path, "its hash", ["cat", "dog"])
    with folder.take_over():
        assert folder.exports == {}
        assert not (path / "model.onnx").exists()


def test_a_folder_of_other_things_is_left_alone(tmp_path):
    (tmp_path / "openvino").mkdir()
    with pytest.raises(UserError, match="not empty"):
        ExportFolder(tmp_path, "its hash", ["cat"])
    assert (tmp_path / "openvino").is_dir()


def test_variants_come_in_one_order():
    names = [x.name for x in choose_variants(["onnx", "litert"])]
    assert names == ["litert", "litert_float16", "litert_int8", "onnx"]
    with pytest.raises(UserError, match="Received: tflite"):
        choose_variants("tflite")
    with pytest.raises(UserError, match="one or more of saved_model"):
        choose_variants([])


def test_a_missing_package_gives_the_pip_line(monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name in PACKAGES["litert"] else find_spec(name),
    )
    with pytest.raises(UserError) as error:
        choose_variants(["saved_model", "litert"])
    assert str(error.value) == (
        "`format=saved_model,litert` needs packages that are not installed "
        "(ai_edge_litert): pip install -e '.[export]'"
    )


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_is_at_least_one(run, limit):
    with pytest.raises(UserError, match="`limit` must be at least 1"):
        export_run(run, limit=limit)
