import csv
import json
import os

import pytest

from thaw.errors import UserError
from thaw.runs import format1, photo_tables, reader, schema


def summary(**changed):
    whole = {
        "format": 2,
        "backbone": "vgg16",
        "best_epoch": 1,
        "class_counts": {"train": [1], "validation": [1]},
        "device": "CPU",
        "epochs": 1,
        "config": {
            **dict.fromkeys(
                ("class_weights", "head", "data", "learning_rate"), "x"
            ),
            **dict.fromkeys(("cutmix", "mixup", "randaugment"), False),
            **{"dropout": 0.5, "epochs": 1},
        },
        "quality": {},
        "photos": {"train": {"x": 1}, "validation": {"x": 1}},
        "freeze_proof": {"summary": "x"},
        **dict.fromkeys(("frozen_layers", "trainable_layers"), ["x"]),
        **dict.fromkeys(("frozen_parameters", "trainable_parameters"), 1),
        **{"image_size": 1, "seconds": 1.5, "seed": 0},
        **{"unfreeze_from": "all", "versions": {"keras": "3"}},
        "val_loss": 0.5,
    }
    return json.dumps(whole | changed)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "it holds no keys"),
        ("[" * 100_000, "Cannot read"),
        (summary(seconds="1; rm"), "its seconds is '1; rm'"),
        (summary(class_counts={"train": ["x"]}), "its class_counts is"),
        (summary(config={"epochs": 1}), "its config is"),
        (summary(versions=["x"]), "its versions is"),
        (summary(format=3), "written by a newer Thaw"),
        (summary(frozen_layers="x"), "its frozen_layers is"),
        (summary(yardstick={"val_loss": "x"}), "its yardstick is"),
        (summary(search={"sentence": ["x"]}), "its search is"),
        ("{}", "its backbone is None"),
    ],
)
def test_a_summary_of_other_types_is_refused(tmp_path, text, message):
    (tmp_path / "run.json").write_text(summary())
    assert reader.load_summary(tmp_path, for_report=True)
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(UserError, match=message):
        reader.load_summary(tmp_path, for_report=True)


@pytest.mark.parametrize(
    ("name", "load"),
    [
        ("run.json", reader.load_summary),
        ("flags.txt", reader.load_flags),
        ("history.csv", reader.load_history),
        ("predictions.csv", photo_tables.load_predictions),
        ("label_issues.csv", photo_tables.load_label_issues),
    ],
)
def test_pipes_and_odd_tables_are_refused(tmp_path, name, load):
    os.mkfifo(tmp_path / name)
    with pytest.raises(UserError, match="is not a file"):
        load(tmp_path)
    (tmp_path / name).unlink()
    if name.endswith(".csv"):
        (tmp_path / name).write_text('stage\n"' + "x" * 200_000 + '"\n')
        with pytest.raises(UserError, match="field larger than"):
            load(tmp_path)
        (tmp_path / name).write_text("stage\nx\n")
        with pytest.raises(UserError, match="Cannot read"):
            load(tmp_path)


def test_a_newer_format_is_refused(tmp_path):
    for name, load in (
        ("run.json", reader.load_summary),
        ("metrics.json", reader.load_metrics),
        ("export.json", reader.load_exports),
    ):
        path = tmp_path / name
        path.write_text('{"format": 3}')
        with pytest.raises(
            UserError,
            match=f"{name} was written by a newer Thaw .format 3.. Update Thaw",
        ):
            load(tmp_path)
        for odd in ('"2"', "true", "0", "2.0", "null", "[2]"):
            path.write_text(f'{{"format": {odd}}}')
            with pytest.raises(UserError, match="its format is"):
                load(tmp_path)


def test_a_summary_of_format_1_is_read_by_todays_names(tmp_path):
    found = json.loads(summary())
    del found["format"]
    found["flags"] = found.pop("config") | {
        "learning_rate": "1e-5:1e-3", "head_learning_rate": "find",
        "layer_decay": 1.0, "peak_at": 0.3, "head_peak_at": 0.2, "div": 10.0,
        "run_dir": "runs/x", "resume": None, "list_layers": False,
    }  # fmt: skip
    found["found"] = found.pop("quality")
    found["reopened"] = {"photos": 3, "largest_difference": 0.0}
    (tmp_path / "run.json").write_text(json.dumps(found))
    read = reader.load_summary(tmp_path, for_report=True)
    assert read["verified"] == {"photos": 3, "largest_difference": 0.0}
    assert read["quality"] == {}
    assert not {"flags", "found", "reopened"} & read.keys()
    config = read["config"]
    assert config["learning_rate"] == 1e-3
    assert config["layer_decay"] == pytest.approx(0.1)
    assert config["head_learning_rate"] == "find"
    assert config["peak_fraction"] == 0.3
    assert config["head_peak_fraction"] == 0.2
    assert config["div_factor"] == 10
    assert not {"run_dir", "resume", "list_layers", "div"} & config.keys()


def test_metrics_of_format_1_are_read_by_todays_names(tmp_path):
    metrics = {
        "photos": 3, "accuracy": 1, "accuracy_interval": [0.5, 1],
        "mean_f1": 0.9, "mean_roc_auc": None, "log_loss": 0.1,
        "expected_calibration_error": 0.1,
        "classes": {"photos": {"photos": 3, "recall": 1.0}},
        "confusion_matrix": [[3]], "most_confused": [],
    }  # fmt: skip
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    read = reader.load_metrics(tmp_path)
    assert read["support"] == 3 and read["macro_f1"] == 0.9
    assert read["macro_roc_auc"] is None
    # A class may have the name of a number.
    assert read["classes"] == {"photos": {"support": 3, "recall": 1.0}}


@pytest.mark.parametrize("name", format1.RENAMED)
def test_odd_files_of_format_1_are_refused(tmp_path, name):
    load = {
        "run.json": lambda x: reader.load_summary(x, for_report=True),
        "metrics.json": reader.load_metrics,
        "export.json": reader.load_exports,
        "label_issues.csv": photo_tables.load_label_issues,
        "flags.txt": reader.load_flags,
    }[name]
    texts = ["{}", '{"flags": 3}', '{"flags": {"learning_rate": [1]}}']
    texts += ['{"photos": {}, "classes": [1]}', '{"classes": {"a": 2}}']
    if name.endswith("csv"):
        texts = ["side\n", "path,side\na\n", "path,side,label\na,b,c\n"]
    if name == "flags.txt":
        texts = [f"--learning_rate={x}\n" for x in ("1:0", "a:b", "1:2:3")]
    for text in texts:
        (tmp_path / name).write_text(text)
        with pytest.raises(UserError):
            load(tmp_path)


def test_flags_of_format_1_are_read_by_todays_names(tmp_path):
    lines = [
        "--data=/photos: a=b\udcff", "--div=10.0", "--nohorizontal_flip",
        "--learning_rate=1e-5:1e-3", "--peak_at=0.3", "--head_peak_at=0.2",
        "--mixup", "--skip_bad=5%",
    ]  # fmt: skip
    (tmp_path / "flags.txt").write_bytes(
        os.fsencode("".join(f"{line}\n" for line in lines))
    )
    assert reader.load_flags(tmp_path) == [
        "--data=/photos: a=b\udcff", "--div_factor=10.0",
        "--nohorizontal_flip", "--learning_rate=1e-3",
        f"--layer_decay={(1e-5 / 1e-3) ** 0.5}", "--peak_fraction=0.3",
        "--head_peak_fraction=0.2", "--mixup", "--skip_bad=5%",
    ]  # fmt: skip


def test_label_issues_of_format_1_are_read_by_todays_names(tmp_path):
    with open(tmp_path / "label_issues.csv", "w", newline="") as file:
        csv.writer(file).writerows(
            [
                ("path", "side", "label", "suggested", "margin"),
                ("a.jpg", "train", "cat", "dog", "0.5"),
            ]
        )
    (issue,) = photo_tables.load_label_issues(tmp_path)
    assert tuple(issue) == schema.ISSUE_COLUMNS
    assert issue["split"] == "train" and issue["probability"] is None
    text = "path,split,label,suggested,probability\na.jpg,train,cat,dog,"
    (tmp_path / "label_issues.csv").write_text(text + "\n")  # written anew
    assert photo_tables.load_label_issues(tmp_path) == [issue]
    (tmp_path / "label_issues.csv").write_text(text + "0.75\n")
    assert photo_tables.load_label_issues(tmp_path)[0]["probability"] == 0.75


def test_options_of_today_stay_as_they_are():
    options = {"learning_rate": "1e-3", "div_factor": "2", "epochs": "3"}
    assert format1.rename_options(options) == options
    assert list(format1.rename_options({"div": 1, "x": 2})) == [
        "div_factor",
        "x",
    ]


def test_checkpoints_of_another_version_are_not_resumed(tmp_path):
    reader.check_resumable(tmp_path)
    state = tmp_path / "checkpoint" / "000002" / "state.json"
    state.parent.mkdir(parents=True)
    state.write_text('{"format": 2}')
    reader.check_resumable(tmp_path)
    state.write_text('{"seconds": 3}')
    with pytest.raises(
        UserError,
        match="begun by an older Thaw .format 1. and can't be resumed; start "
        "it again: python train.py --flagfile=.*/flags.txt",
    ):
        reader.check_resumable(tmp_path)
    state.write_text('{"format": 3}')
    with pytest.raises(UserError, match="a newer Thaw .format 3."):
        reader.check_resumable(tmp_path)
    damaged = tmp_path / "checkpoint" / "000003" / "state.json"
    damaged.parent.mkdir()
    damaged.write_text("{")
    with pytest.raises(UserError, match="format 3"):
        reader.check_resumable(tmp_path)
