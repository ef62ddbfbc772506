import json
import shlex

import numpy as np
import pytest

import thaw
from thaw.errors import UserError
from thaw.evaluation.evaluation import Evaluation
from thaw.evaluation.metrics import ClassMetrics
from thaw.reports.facts import RunFacts
from thaw.reports.model_card import make_card, write_card

NAMES = ["cat", "a|b <i>x</i>\n# y", "`tick`"]
COUNTS = np.array([[9, 1, 0], [2, 8, 0], [0, 0, 0]])
FLAGS = [
    "--data=../home/me/photos: mine",
    "--weights=~/home/me/w.h5",
    "--cache_dir=C:\\home\\me\\cache",
    "--label_regex=/(cat|dog)/[^/]*$",
]
SUMMARY = {
    "backbone": "/home/me/base.keras",
    "unfreeze_from": "block5_conv1",
    "trainable_layers": ["x"],
    "frozen_layers": ["x"],
    "trainable_parameters": 1000,
    "frozen_parameters": 2000,
    "freeze_proof": {"summary": "frozen 10 layers: none moved"},
    "photos": {
        "train": dict(zip(NAMES, (30, 20, 10), strict=True)),
        "validation": dict(zip(NAMES, (10, 10, 0), strict=True)),
    },
    "config": {"data": "/home/me/photos: mine"},
    "image_size": 150,
    "versions": {"keras": "3.15.1"},
    "thaw": "0.2.0",
    "epochs": 1,
    "best_epoch": 1,
    "seconds": 12.3,
    "device": "CPU",
    "seed": 0,
    "verified": {"photos": 64, "largest_difference": 0.0},
}
EXPORT = {
    "path": "model.onnx",
    "photos": 20,
    "largest_difference": 1e-5,
    "accuracy": 0.85,
}


def make(exports=(), num_issues=0, **changes):
    """The card of a run of three classes with odd names."""
    evaluation = Evaluation(
        support=20,
        accuracy=0.85,
        accuracy_interval=[0.64, 0.95],
        balanced_accuracy=0.85,
        macro_precision=0.84,
        macro_recall=0.85,
        macro_f1=0.84,
        macro_roc_auc=None,
        macro_average_precision=None,
        log_loss=0.4,
        brier_score=0.2,
        expected_calibration_error=0.1,
        classes={
            name: ClassMetrics(
                sum(row), recall=row[place] / sum(row) if sum(row) else None
            )
            for place, (name, row) in enumerate(zip(NAMES, COUNTS, strict=True))
        },
        confusion_matrix=COUNTS,
        most_confused=[(NAMES[1], NAMES[0], 2)],
        top_losses=[],
    )
    summary = SUMMARY | changes
    facts = RunFacts("a run: 'odd\"", "runs/odd", summary, [], [], None)
    return make_card(facts, evaluation, FLAGS, num_issues, dict(exports))


def test_the_hub_reads_it():
    hub = pytest.importorskip("huggingface_hub")
    card = hub.ModelCard(make())
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
    assert card.data.model_name == "a run: 'odd\""


def test_it_says_how_photos_of_more_than_8_bits_were_scaled():
    assert "were scaled" not in make()
    text = make(pixel_ranges={"integer": "0:4095", "float": "0:1"})
    assert (
        "nothing else.\nThe files of its photos were scaled to that first: "
        "integer samples from `0:4095`, float samples from `0:1`.\n"
    ) in text


def test_it_says_what_the_run_was():
    text = make(num_issues=17)
    assert "Image classifier with 3 classes: cat, " in text
    assert "It is `base`, fine-tuned with Thaw" in text
    assert "1,000 of 3,000 parameters" in text
    assert "60 training photos and 20 validation photos" in text
    assert "| cat | 30 | 10 |" in text
    assert "Accuracy 85.0% on 20 validation photos (95% CI 64.0-95.0%)" in text
    # Of eleven predicted as cats 81.8% were: Wilson's interval.
    assert "| cat | 10 | 81.8% (52.3-94.9%) | 90.0% (59.6-98.2%) |" in text
    assert "(80.0% of 10 photos)." in text
    assert "| \\`tick\\` | 0 | \u2013 | \u2013 |" in text
    assert "Epochs: 1, in 12 s on CPU, seed 0; thaw 0.2.0, keras 3.15.1" in text
    assert "suspected to be wrong: 17" in text


def test_it_says_whether_the_model_was_verified():
    text = make()
    assert "Verified: in a fresh process" in text and "on 64 photos" in text
    assert "Not verified: `model.keras`" in make(verified=None)


def test_names_of_classes_are_text_and_folders_are_left_out():
    text = make()
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


def test_exports_are_listed():
    assert "Exports in `export/`" not in make()
    text = make({"onnx": EXPORT})
    assert "| onnx | `model.onnx` | 85.0% of 20 | 1e-05 |" in text
    assert "OpenVINO" not in text
    assert "INFERENCE_PRECISION_HINT" in make({"openvino": EXPORT})


def test_the_head_is_json_inside_yaml():
    head = make().split("---")[1]
    line = next(x for x in head.splitlines() if x.startswith("model-index: "))
    index = json.loads(line.removeprefix("model-index: "))
    assert index[0]["name"] == "a run: 'odd\""


def test_it_is_the_same_from_the_files_of_the_run(run_dir):
    card = run_dir / "README.md"
    before = card.read_text()
    card.unlink()
    write_card(thaw.load_run(run_dir))
    assert card.read_text() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"accuracy_interval": [0.5]},
        {"confusion_matrix": [[1]]},
        {"classes": {}},
        {"most_confused": [["mouse", "cat", 3]]},
    ],
)
def test_a_metrics_json_that_contradicts_itself_is_refused(run_dir, changes):
    path = run_dir / "metrics.json"
    numbers = json.loads(path.read_text())
    path.write_text(json.dumps(numbers | changes))
    with pytest.raises(UserError, match=r"metrics\.json contradicts"):
        write_card(thaw.load_run(run_dir))
