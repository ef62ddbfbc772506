import json
import os

import numpy as np
import pytest

import thaw
from tests.support import format1
from thaw.cli import flag_files
from thaw.config import TrainConfig
from thaw.errors import UserError
from thaw.options import options
from thaw.runs import photo_tables, reader
from thaw.runs.writer import RunFolder
from thaw.serving.model import ServedModel


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    """A complete run, not to be changed, opened as one of today's."""
    return thaw.load_run(
        format1.lay_out("complete", tmp_path_factory.mktemp("format1"))
    )


@pytest.fixture
def exported(tmp_path):
    return format1.lay_out("exported", tmp_path)


@pytest.fixture
def unfinished(tmp_path):
    return format1.lay_out("unfinished", tmp_path)


def test_its_files_are_read_by_todays_names(complete):
    summary = reader.load_summary(complete.path, for_report=True)
    assert summary["verified"]["largest_difference"] == 0
    assert not {"flags", "found", "reopened"} & summary.keys()
    config = complete.config
    assert config.learning_rate == 1e-2
    assert config.layer_decay == pytest.approx(0.1)
    assert config.head_learning_rate == 1e-3
    assert (config.peak_fraction, config.div_factor) == (0.3, 10)
    assert config.head_peak_fraction == 0.2
    assert config.unfreeze_from == "block1_conv2"
    metrics = reader.load_metrics(complete.path)
    assert metrics["support"] == metrics["classes"]["cat"]["support"] * 2
    assert "macro_f1" in metrics and "mean_f1" not in metrics
    assert {
        x["split"] for x in photo_tables.load_label_issues(complete.path)
    } <= {
        "train",
        "validation",
    }
    flags = reader.load_flags(complete.path)
    assert "--learning_rate=1e-2" in flags and "--div_factor=10.0" in flags


def test_its_model_answers_as_it_did(complete):
    model = RunFolder.open(complete.path).load_model()
    assert [x.name for x in model.layers][-2:] == [
        "head_dropout",
        "head_output",
    ]
    before = photo_tables.load_predictions(complete.path)
    found = list(complete.predict(before.paths))
    assert [x.label for x in found] == before.predicted
    np.testing.assert_allclose(
        # Those before are of features kept in float16.
        [x.probability for x in found],
        before.probabilities.max(1),
        atol=1e-4,
    )


def test_it_is_evaluated_on_its_own_photos(exported):
    before = reader.load_metrics(exported)
    evaluation = thaw.load_run(exported).evaluate()
    assert evaluation.support == before["support"]
    assert evaluation.accuracy == before["accuracy"]
    assert evaluation.log_loss == pytest.approx(before["log_loss"], abs=1e-4)
    assert json.loads((exported / "metrics.json").read_text())["format"] == 2
    assert "## Training" in (exported / "README.md").read_text()
    # run.json stays as it was.
    assert "format" not in json.loads((exported / "run.json").read_text())


def test_its_exports_are_known_and_made_anew(exported):
    known = reader.load_current_exports(exported)
    assert known["saved_model"]["photos"] == 4
    (export,) = thaw.load_run(exported).export("saved_model")
    assert (exported / "export" / "saved_model" / "saved_model.pb").exists()
    again = reader.load_current_exports(exported)
    assert again["saved_model"]["largest_difference"] <= 1e-6
    text = (exported / "export" / "export.json").read_text()
    assert json.loads(text)["format"] == 2 and "copies" not in text


def test_it_is_served(complete):
    model = complete.model
    served = ServedModel(model, complete.class_names, max_pixels=10**6)
    try:
        paths = photo_tables.load_predictions(complete.path).paths
        rows = served.predict([(path, path) for path in paths])
    finally:
        served.close()
    expected = [x.label for x in complete.predict(paths)]
    assert [row["predicted"] for row in rows] == expected


def test_it_is_compared_with_a_run_of_today(complete, trained_run):
    comparison = thaw.compare(complete, trained_run)
    assert len(comparison.runs) == 2
    assert "--peak_fraction=0.3" in str(comparison)


def test_an_unfinished_one_is_not_resumed(unfinished):
    before = sorted(os.listdir(unfinished))
    message = (
        r"begun by an older Thaw \(format 1\) and can't be resumed; start it "
        "again: python train.py --flagfile="
    )
    with pytest.raises(UserError, match=message):
        thaw.fine_tune(run_dir=unfinished, resume=True)
    assert sorted(os.listdir(unfinished)) == before
    with pytest.raises(UserError, match="has not ended|is not a finished run"):
        thaw.load_run(unfinished)


def test_its_flags_are_a_flagfile_of_today(unfinished):
    path = unfinished / "flags.txt"
    config = TrainConfig(**flag_files.read(str(path), options(TrainConfig)))
    assert config.learning_rate == 1e-2 and config.div_factor == 10
    assert config.data == str(unfinished.parent / "photos")
