import hashlib
import json
import shlex

import pytest

from thaw.errors import UserError
from thaw.reports import model_card
from thaw.runs.writer import RunFolder

NAMES = ["cat", "a|b <i>x</i>\n# y", "`tick`"]


@pytest.fixture
def run(tmp_path):
    """A run folder without its model, of three classes with odd names."""
    run = RunFolder(tmp_path / "a run: 'odd\"")
    run.path.mkdir()
    counts = [[9, 1, 0], [2, 8, 0], [0, 0, 0]]
    run.save_summary(
        {
            "backbone": "/home/me/base.keras",
            "unfreeze_from": "block5_conv1",
            "trainable_parameters": 1000,
            "frozen_parameters": 2000,
            "freeze_proof": {"summary": "frozen 10 layers: none moved"},
            "photos": {
                "train": dict(zip(NAMES, (30, 20, 10), strict=True)),
                "validation": dict(zip(NAMES, (10, 10, 0), strict=True)),
            },
            "class_counts": {
                "train": [30, 20, 10],
                "validation": [10, 10, 0],
            },
            "flags": {
                "data": "/home/me/photos: mine",
                **dict.fromkeys(("class_weights", "head"), "x"),
                **dict.fromkeys(("cutmix", "mixup", "randaugment"), False),
                **{"dropout": 0.5, "epochs": 1, "learning_rate": "1e-5"},
            },
            "found": {},
            **dict.fromkeys(("frozen_layers", "trainable_layers"), ["x"]),
            "image_size": 150,
            "versions": {"keras": "3.15.1"},
            "epochs": 1,
            "best_epoch": 1,
            "seconds": 12.3,
            "device": "CPU",
            "seed": 0,
            "reopened": {"photos": 64, "largest_difference": 0.0},
        }
    )
    run.save_metrics(
        {
            "photos": 20,
            "accuracy": 0.85,
            "accuracy_interval": [0.64, 0.95],
            "mean_f1": 0.84,
            "mean_roc_auc": None,
            "log_loss": 0.4,
            "expected_calibration_error": 0.1,
            "confusion_matrix": counts,
            "most_confused": [[NAMES[1], NAMES[0], 2]],
            "classes": {
                name: {"photos": sum(row), "recall": row[place] / 10}
                for place, (name, row) in enumerate(
                    zip(NAMES, counts, strict=True)
                )
            },
        }
    )
    run.save_flags(
        [
            "--data=../home/me/photos: mine",
            "--weights=~/home/me/w.h5",
            "--cache_dir=C:\\home\\me\\cache",
            "--label_regex=/(cat|dog)/[^/]*$",
        ]
    )
    return run


def test_the_hub_reads_it(run):
    hub = pytest.importorskip("huggingface_hub")
    card = hub.ModelCard(model_card.make_card(run.path))
    assert card.data.pipeline_tag == "image-classification"
    assert card.data.library_name == "keras"
    results = {x.metric_type: x.metric_value for x in card.data.eval_results}
    assert results == {
        "accuracy": 0.85, "f1": 0.84, "log_loss": 0.4,
        "expected_calibration_error": 0.1,
    }  # fmt: skip
    assert card.data.eval_results[0].dataset_name == (
        "photos: mine, validation photos"
    )
    assert card.data.model_name == run.path.name


def test_it_says_what_the_run_was(run):
    text = model_card.make_card(run.path)
    assert "1,000 of 3,000 parameters" in text
    assert "60 to train on and 20 to" in text
    assert "| cat | 30 | 10 |" in text
    # Of nine cats 81.8% of what it took for cats were: Wilson's interval.
    assert "| cat | 10 | 81.8% (52.3% to 94.9%) | 90.0% (59.6% to 98.2%)" in (
        text
    )
    assert "least often: 80.0% of 10 photos" in text
    assert "| \\`tick\\` | 0 | \u2013 | \u2013 |" in text
    assert "1 epoch in 12 s" in text
    assert "same probabilities on 64 photos" in text


def test_names_of_classes_are_text_and_folders_are_left_out(run):
    text = model_card.make_card(run.path)
    assert "home" not in text
    command = next(x for x in text.splitlines() if "train.py" in x)
    assert shlex.split(command)[2:] == [
        "--data=photos: mine", "--weights=w.h5", "--cache_dir=cache",
        "--label_regex=/(cat|dog)/[^/]*$",
    ]  # fmt: skip
    assert "<i>" not in text.replace("\\<i\\>", "")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    for row in rows:
        assert row.replace("\\|", "").count("|") in (4, 5)
    assert "\n# y" not in text


def test_copies_are_listed(run):
    assert "In other formats" not in model_card.make_card(run.path)
    copies = {
        "path": "model.onnx", "photos": 20, "labels_differ": 0,
        "largest_difference": 1e-5, "accuracy": 0.85, "accuracy_lost": 0.0,
        "milliseconds": 3.0,
    }  # fmt: skip
    (run.path / "export").mkdir()
    run.model_path.write_bytes(b"model")
    exports = {
        "model_sha256": hashlib.sha256(b"model").hexdigest(),
        "copies": {"onnx": copies},
    }
    RunFolder(run.path / "export").save_exports(exports)
    text = model_card.make_card(run.path)
    assert "| onnx | `model.onnx` | 85.0% of 20 | 1e-05 |" in text
    assert "OpenVINO" not in text
    run.model_path.write_bytes(b"calibrated since")
    assert "In other formats" not in model_card.make_card(run.path)


def test_the_head_is_json_inside_yaml(run):
    head = model_card.make_card(run.path).split("---")[1]
    line = next(x for x in head.splitlines() if x.startswith("model-index: "))
    index = json.loads(line.removeprefix("model-index: "))
    assert index[0]["name"] == run.path.name


@pytest.mark.parametrize("key", ["accuracy_interval", "confusion_matrix"])
def test_a_damaged_file_is_said(run, key):
    path = run.path / "metrics.json"
    numbers = json.loads(path.read_text())
    del numbers[key]
    run.save_metrics(numbers)
    with pytest.raises(UserError, match="metrics.json"):
        model_card.make_card(run.path)
