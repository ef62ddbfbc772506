import csv
import io
import json
import os
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest

from input_pipeline import dataset, index
from tests.conftest import ROOT
from training.features import frozen_features


@pytest.fixture(scope="module")
def run_dir(drawn_photos, tmp_path_factory):
    """A run folder with an untrained model of three classes."""
    return make_run(tmp_path_factory.mktemp("run"), ["cat", "dog", "owl"])


def make_run(folder, class_names):
    from model_zoo import build_model
    from training.run_folder import RunFolder

    model = build_model(
        "vgg16_tiny", len(class_names), weights="auto", resize="pad"
    )
    run = RunFolder.create(folder / "run")
    run.save_class_names(class_names)
    run.save_model(model, class_names)
    return run.path


def predict(*arguments):
    return subprocess.run(
        [sys.executable, ROOT / "predict.py", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_predictions_equal_those_of_the_training_pipeline(
    drawn_photos, tmp_path
):
    from model_zoo.boundary import split

    run_dir = make_run(tmp_path, ["cat", "dog"])
    process = predict(run_dir, drawn_photos, "--format=csv")
    assert process.returncode == 0, process.stderr
    rows = list(csv.DictReader(io.StringIO(process.stdout)))
    assert list(rows[0]) == ["path", "predicted", "probability", "cat", "dog"]

    model = keras.saving.load_model(run_dir / "model.keras")
    frozen, trained = split(model, model.get_layer("block5_conv1"))
    photos, _ = index.index_photos(drawn_photos)
    resize = model.get_layer("resize")
    images_ds = dataset.PhotoViews(photos, resize, resize.height).images(
        0, np.arange(len(photos)), batch_size=20
    )
    expected = np.concatenate(
        [
            trained.predict_on_batch(list(frozen_features(frozen, images, 20)))
            for images in images_ds.as_numpy_iterator()
        ]
    )[:, 0]
    assert [row["path"] for row in rows] == list(photos.paths)
    got = np.array([float(row["dog"]) for row in rows])
    np.testing.assert_allclose(got, expected, atol=1e-5)
    for row in rows:
        larger = max("cat", "dog", key=lambda name: float(row[name]))
        assert row["predicted"] == larger
        assert row["probability"] == row[larger]
        assert float(row["cat"]) + float(row["dog"]) == pytest.approx(1)


def test_json_has_one_entry_a_photo(run_dir, drawn_photos):
    photo = drawn_photos / "cat" / "0000.jpg"
    process = predict(run_dir, photo, photo, "--format=json")
    rows = json.loads(process.stdout)
    assert len(rows) == 2 and rows[0] == rows[1]
    assert list(rows[0])[:3] == ["path", "predicted", "probability"]
    assert sum(
        rows[0][name] for name in ("cat", "dog", "owl")
    ) == pytest.approx(1)
    assert process.stderr == ""


def test_the_table_is_aligned(run_dir, drawn_photos):
    process = predict(run_dir, drawn_photos / "cat")
    lines = process.stdout.splitlines()
    assert lines[0].split() == ["path", "predicted", "probability"]
    assert len(lines) == 2 + 24
    assert len({line.index(" ") for line in lines[2:]}) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Expected a run folder and photos"),
        (["{run}"], "Expected a run folder and photos"),
        (["{run}", "nowhere.jpg"], "No photo or folder nowhere.jpg"),
        (["{run}", "{tmp}"], "No photos under"),
        (["{run}", "{run}/class_names.json"], "class_names.json: "),
        (["{tmp}", "{photo}"], "is not a run folder"),
        (["{run}", "{photo}", "--format=xml"], "value should be one of"),
    ],
)
def test_bad_input_is_one_message_and_status_2(
    run_dir, drawn_photos, tmp_path, arguments, message
):
    names = {
        "run": run_dir,
        "tmp": tmp_path,
        "photo": drawn_photos / "cat" / "0000.jpg",
    }
    process = predict(*(argument.format(**names) for argument in arguments))
    assert process.returncode == 2
    assert message in process.stderr
    assert "Traceback" not in process.stderr


def test_a_reader_that_goes_away_is_no_error(run_dir, drawn_photos):
    read, write = os.pipe()
    os.close(read)
    process = subprocess.run(
        [sys.executable, ROOT / "predict.py", run_dir, drawn_photos],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(write)
    assert "Traceback" not in process.stderr


def test_a_contest_has_one_label_for_each_id(run_dir, drawn_photos):
    process = predict(run_dir, drawn_photos, "--format=contest")
    assert process.returncode == 2
    assert "have the same id" in process.stderr


def test_a_contest_gets_id_and_label(run_dir, drawn_photos, tmp_path):
    folder = tmp_path / "unlabelled"
    folder.mkdir()
    some = sorted(drawn_photos.glob("*/*.jpg"))[:3]
    for name, photo in zip(("0010", "9", "1"), some, strict=True):
        shutil.copy(photo, folder / f"{name}.jpg")
    process = predict(run_dir, folder, "--format=contest")
    assert process.returncode == 0, process.stderr
    rows = list(csv.reader(io.StringIO(process.stdout)))
    assert rows[0] == ["id", "label"]
    assert [name for name, _ in rows[1:]] == ["1", "9", "0010"]
    named = predict(run_dir, folder, "--format=json")
    predicted = {
        row["path"].rpartition("/")[2]: row["predicted"]
        for row in json.loads(named.stdout)
    }
    for name, label in rows[1:]:
        classes = ["cat", "dog", "owl"]
        assert classes[int(label)] == predicted[f"{name}.jpg"]
