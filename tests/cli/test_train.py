import csv
import json
import shutil
import signal
import subprocess
import sys
import time

import keras
import matplotlib.image
import numpy as np
import pytest

from tests.support.interrupted import at_call
from tests.support.paths import ROOT
from tests.support.scripts import without_log
from tests.support.training import epochs_of, train

QUICK = ("--head_epochs=1", "--epochs=1", "--image_size=48")
SMALL = {
    "backbone": "vgg16_tiny", "head_epochs": 1, "epochs": 1, "image_size": 48,
}  # fmt: skip


def read_history(run_folder):
    with open(run_folder / "history.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_confusion_counts_match_reported_accuracy(train_script):
    summary = json.loads((train_script.run_dir / "run.json").read_text())
    wrong = sum(count for _, _, count in summary["most_confused"])
    photos = sum(summary["photos"]["validation"].values())
    assert summary["val_accuracy"] == pytest.approx(1 - wrong / photos)
    assert ("Most common error: " in train_script.stdout) == (wrong > 0)


def test_the_run_folder_is_complete(trained_run):
    folder = trained_run
    depends = {"label_issues.csv", "mistakes.png"}  # on what was found
    assert {path.name for path in folder.iterdir()} - depends == {
        "README.md",
        "accuracy.png",
        "augmented.png",
        "class_counts.png",
        "class_names.json",
        "confusion.png",
        "doubtful.png",
        "feature_map.png",
        "flags.txt",
        "history.csv",
        "loss.png",
        "loss_by_step.png",
        "lr.png",
        "metrics.json",
        "model.keras",
        "precision_recall.png",
        "predictions.csv",
        "reliability.png",
        "report.html",
        "roc.png",
        "run.json",
        "steps.csv",
        "tensorboard",
        "training_photos.csv",
    }
    assert json.loads((folder / "class_names.json").read_text()) == [
        "cat",
        "dog",
    ]
    for name in ("accuracy.png", "loss.png", "lr.png", "augmented.png"):
        assert matplotlib.image.imread(folder / name).shape[1] > 600


def test_the_history_runs_over_both_stages(trained_run):
    history = read_history(trained_run)
    assert list(history[0]) == [
        "stage", "epoch", "seconds", "loss", "accuracy",
        "val_loss", "val_accuracy", "learning_rate",
    ]  # fmt: skip
    assert [row["stage"] for row in history] == ["head"] * 2 + ["fine_tune"] * 2
    assert [row["epoch"] for row in history] == ["1", "2", "3", "4"]
    rates = [float(row["learning_rate"]) for row in history]
    # Each falls along half a cosine; 38 photos are 2 steps an epoch.
    expected = [8.536e-4, 1.464e-4, 8.536e-5, 1.464e-5]
    assert rates == pytest.approx(expected, rel=1e-3)


def test_the_kept_epoch_has_the_lowest_validation_loss(train_script):
    folder = train_script.run_dir
    summary = json.loads((folder / "run.json").read_text())
    best = min(read_history(folder), key=lambda row: float(row["val_loss"]))
    assert summary["best_epoch"] == int(best["epoch"])
    assert summary["val_loss"] == float(best["val_loss"])
    assert summary["val_accuracy"] == float(best["val_accuracy"])
    kept = f"Kept epoch {best['epoch']} of 4 ({best['stage']}): validation loss"
    assert kept in train_script.stdout


def test_the_saved_model_is_that_of_the_kept_epoch(trained_run, drawn_photos):
    """Evaluated with plain Keras, on the photos the run validated on."""
    from thaw.data.load import load_photos
    from thaw.data.split import stratified_rows
    from thaw.data.views import PhotoViews

    folder = trained_run
    summary = json.loads((folder / "run.json").read_text())
    photos, _ = load_photos(drawn_photos)
    validation = photos.take(stratified_rows(photos, 0.2, seed=7)[1])
    model = keras.saving.load_model(folder / "model.keras")
    model.compile(loss="binary_crossentropy", metrics=["accuracy"])
    resize = model.get_layer("resize")
    images_ds = PhotoViews(validation, resize, resize.height).images(
        0, np.arange(len(validation)), batch_size=20
    )
    images = np.concatenate(list(images_ds.as_numpy_iterator()))
    loss, accuracy = model.evaluate(images, validation.labels, verbose=0)
    # The cache holds float16.
    assert loss == pytest.approx(summary["val_loss"], rel=0.01)
    assert accuracy == pytest.approx(summary["val_accuracy"])


def test_the_summary_says_what_was_frozen_and_proves_it(train_script):
    folder = train_script.run_dir
    summary = json.loads((folder / "run.json").read_text())
    proof = "frozen 10 layers: none moved; trained 5 layers: all moved"
    assert summary["freeze_proof"]["summary"] == proof
    assert proof in train_script.stdout
    assert len(summary["frozen_layers"]) == 10
    assert summary["trainable_layers"] == [
        "block5_conv1", "block5_conv2", "block5_conv3",
        "head_hidden", "head_output",
    ]  # fmt: skip
    assert summary["photos"]["train"] == {"cat": 19, "dog": 19}
    assert summary["photos"]["validation"] == {"cat": 5, "dog": 5}
    assert summary["seed"] == 7
    assert summary["versions"]["keras"] == keras.__version__
    model = keras.saving.load_model(folder / "model.keras")
    assert (
        summary["trainable_parameters"] + summary["frozen_parameters"]
        == model.count_params()
    )


def test_the_last_lines_say_where_everything_is(train_script):
    words = " ".join(train_script.stdout.split()[-40:])
    place = f"runs/{train_script.run_dir.name}"
    for part in (
        f"{place}/accuracy.png",
        f"{place}/loss.png",
        f"{place}/model.keras",
        f"python predict.py {place} photo.jpg",
        "Total time",
    ):
        assert part in words
    assert "Training on " in train_script.stdout
    assert without_log(train_script.stderr) == ""


@pytest.mark.slow
def test_its_flagfile_repeats_the_run_bit_for_bit(
    trained_run, run_script, tmp_path
):
    folder = trained_run
    flags = (folder / "flags.txt").read_text().splitlines()
    assert "--unfreeze_from=block5_conv1" in flags
    assert not [line for line in flags if line.startswith("--run_dir")]
    process = run_script(
        "train.py",
        f"--flagfile={folder / 'flags.txt'}",
        f"--run_dir={tmp_path / 'again'}",
    )
    assert process.returncode == 0, process.stderr

    def numbers(run_folder):
        rows = read_history(run_folder)
        return [{**row, "seconds": None} for row in rows]

    assert numbers(tmp_path / "again") == numbers(folder)


@pytest.mark.slow
def test_three_classes_no_head_stage_and_other_choices(
    drawn_photos, run_script, tmp_path
):
    photos = tmp_path / "photos"
    for number, path in enumerate(sorted(drawn_photos.glob("*/*.jpg"))):
        target = photos / f"class {number % 3}" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    process = run_script(
        "train.py", "--data", photos, "--backbone=vgg16_tiny",
        "--head_epochs=0", "--epochs=2", "--steps_per_epoch=3",
        "--batch_size=7", "--optimizer=adam", "--augment=none",
        "--resize=crop", "--pooling=avg", "--hidden_units=0",
        "--unfreeze_from=all", "--image_size=40",
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    folder = tmp_path / "runs" / "latest"
    assert [row["stage"] for row in read_history(folder)] == ["fine_tune"] * 2
    summary = json.loads((folder / "run.json").read_text())
    assert summary["frozen_layers"] == []
    model = keras.saving.load_model(folder / "model.keras")
    assert model.output.shape == (None, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data=nowhere"], "nowhere does not exist"),
        (["--data=empty"], "No photos in class folders under empty"),
        (["--data=one"], "Only one class, 'cat'"),
        (["--data=hole"], "The class folder hole/dog holds no photos"),
        (["--data=broken", *QUICK], "broken/dog/2.jpg: damaged"),
        (["--run_dir=one"], "exists and is not empty"),
        (["--data=one", "--run_dir=one/run"], "one/run is inside one"),
        (["--run_dir=/proc/run", "--limit=4", *QUICK], "cannot write to"),
        (["--unfreeze_from=block6"], "Did you mean block"),
        (["--weights=broken/dog/2.h5"], "Cannot read the weights file"),
        (["--weights=other.weights.h5"], "do not fit vgg16_tiny"),
        (["--image_size=31"], "too small for vgg16_tiny. Expected at least 32"),
        (["--validation_data=empty"], "No photos in class folders under empty"),
        (["--list_layers", "--cut_at=nope"], "no layer 'nope' to cut at"),
        (["--estimate", "--resume=one"], "Give --estimate or --resume"),
        (["--learning_rate=1e-5:1e-3"], "--learning_rate must be `find` or"),
        (
            ["--data=one", r"--label_regex=(.)_\d"],
            "in 2 of 2 names, e.g. 1.jpg",
        ),
    ],
)
def test_bad_input_is_one_message_and_status_2(
    drawn_photos, run_script, tmp_path, arguments, message
):
    photo = sorted(drawn_photos.glob("cat/*.jpg"))[0].read_bytes()
    for name in ("one/cat", "hole/cat", "hole/dog", "broken/cat", "broken/dog"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    for name in ("one/cat", "hole/cat", "broken/cat", "broken/dog"):
        for number in (1, 3):
            (tmp_path / name / f"{number}.jpg").write_bytes(photo)
    (tmp_path / "broken/dog/2.jpg").write_bytes(photo[:300])
    (tmp_path / "broken/dog/2.h5").write_bytes(b"not HDF5")
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    other.save_weights(tmp_path / "other.weights.h5")
    process = run_script("train.py", "--backbone=vgg16_tiny", *arguments)
    assert process.returncode == 2, process.stderr
    assert message in process.stderr
    assert "\ntrain.py: " in "\n" + process.stderr
    assert "Traceback" not in process.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_a_rate_is_found_and_the_picture_is_enough(
    run_script, drawn_photos, tmp_path, capsys
):
    train(
        tmp_path / "found", data=drawn_photos, silent=False,
        learning_rate="find", head_learning_rate="find", layer_decay=0.1,
        schedule="one_cycle", **SMALL,
    )  # fmt: skip
    printed = capsys.readouterr().out
    for name in ("lr_find_head.png", "lr_find.png"):
        assert printed.count(f"Using valley. See {name}\n") == 1
        assert (tmp_path / "found" / name).is_file()
    with open(tmp_path / "found/steps.csv", newline="") as file:
        *_, row = csv.DictReader(file)
    rates = [float(row[f"rate_{x}"]) for x in ("head", "upper", "lower")]
    assert rates[1:] == pytest.approx([rates[0] / 10, rates[0] / 100])
    process = run_script(
        "train.py", "--data", drawn_photos, "--backbone=vgg16_tiny",
        "--head_epochs=0", "--epochs=0", "--image_size=48",
        "--learning_rate=find", "--run_dir=only",
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    assert (tmp_path / "only/lr_find.png").is_file()
    assert not (tmp_path / "only/model.keras").exists()


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["linear", "svm"])
def test_a_head_is_solved_then_fine_tuned(
    drawn_photos, tmp_path, capsys, solver
):
    training = train(
        tmp_path / "run", data=drawn_photos, backbone="vgg16_tiny",
        head=solver, epochs=1, label_smoothing=0.1, class_weights="balanced",
        early_stopping=1, silent=False,
    )  # fmt: skip
    printed = capsys.readouterr().out
    assert f"Solved ({solver})" in printed
    head, fine_tune = training.history.epochs
    # The same loss in both stages: smoothed labels keep it above this, even
    # on the photos that the head was solved on.
    lowest = -(0.95 * np.log(0.95) + 0.05 * np.log(0.05))
    assert min(head["loss"], fine_tune["loss"]) > lowest
    assert head["stage"] == "head" and head["learning_rate"] is None
    assert head["val_accuracy"] >= 0.8
    assert fine_tune["stage"] == "fine_tune"
    assert [x.name for x in training.model.layers if "head" in x.name] == [
        "head_flatten",
        "head_output",
    ]


@pytest.mark.slow
def test_latest_points_to_a_run_with_a_model_or_nowhere(
    run_script, drawn_photos, tmp_path
):
    (tmp_path / "runs" / "latest").mkdir(parents=True)
    process = run_script(
        "train.py", "--data", drawn_photos, "--backbone=vgg16_tiny",
        "--limit=4", "--head_epochs=1", "--epochs=0", "--image_size=32",
    )  # fmt: skip
    assert process.returncode == 0
    assert "create the link runs/latest" in process.stderr
    assert len(list((tmp_path / "runs").iterdir())) == 2


@pytest.mark.slow
@pytest.mark.process
def test_ctrl_c_keeps_the_finished_epochs(drawn_photos, tmp_path):
    run_dir = tmp_path / "run"
    process = subprocess.Popen(
        [
            sys.executable, ROOT / "train.py", "--data", drawn_photos,
            "--backbone=vgg16_tiny", "--head_epochs=1", "--epochs=10000",
            "--image_size=48", f"--run_dir={run_dir}",
        ],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not (run_dir / "model.keras").exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "train.py: Stopped by Ctrl-C. Kept epoch" in stderr
    assert "Traceback" not in stderr
    keras.saving.load_model(run_dir / "model.keras")
    assert (run_dir / "accuracy.png").exists()


@pytest.mark.slow
@pytest.mark.parametrize("then", ["gone", "damaged"])
def test_a_photo_that_goes_away_in_the_middle(
    run_script, drawn_photos, tmp_path, then
):
    data = shutil.copytree(drawn_photos, tmp_path / "photos")
    photo = sorted(data.glob("dog/*.jpg"))[3]

    def change():
        photo.unlink()
        if then == "damaged":
            photo.write_bytes(b"no longer a photo")

    with at_call("thaw.training.history", "History.add_epoch", 1, change):
        done = run_script(
            "train.py", f"--data={data}", "--backbone=vgg16_tiny",
            "--head_epochs=1", "--epochs=9", "--image_size=48",
            "--run_dir=run", "--cache_views=0",
            "--augment=none",  # else resized photos are kept in memory
        )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert f"train.py: {photo} has been changed or taken away" in done.stderr
    assert "Kept epoch" in done.stderr and "Traceback" not in done.stderr
    assert (tmp_path / "run" / "accuracy.png").exists()


def test_layers_are_listed_with_what_would_train(run_script):
    process = run_script(
        "train.py", "--list-layers", "--backbone=vgg16_tiny",
        "--unfreeze-from=block5_conv3",
    )  # fmt: skip
    assert process.returncode == 0 and without_log(process.stderr) == ""
    rows = [line.split() for line in process.stdout.splitlines()]
    drawn = "GlorotUniform"
    rows = [row[:-1] for row in rows[: rows.index([])]]  # without seconds
    assert rows[2] == [
        "block1_conv1", "Conv2D", "150x150x8", "224", drawn, "493,225", "0.135",
    ]  # fmt: skip
    assert rows[-2] == [
        "block5_conv3", "Conv2D", "9x9x64", "36,928", drawn, "yes", "299,585",
        "0.010",
    ]  # fmt: skip
    assert rows[-1] == [
        "block5_pool", "MaxPooling2D", "4x4x64", "262,657", "0.010",
    ]  # fmt: skip
    assert len(rows) == 2 + 18


# Real photos with real ImageNet weights, a small part of them.


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backbone", "preprocess", "unfreeze_from"),
    [
        ("squeezenet", "caffe", "fire9_squeeze1x1"),
        ("mobilenet_to_conv_pw_12", "tf", "conv_dw_12"),
    ],
)
def test_real_photos_and_imagenet_weights(
    shared, tmp_path, backbone, preprocess, unfreeze_from
):
    training = train(
        tmp_path / "run",
        data=shared / "cats_vs_dogs",
        limit=60,
        backbone=shared / "backbones" / f"{backbone}.keras",
        preprocess=preprocess,
        image_size=128,
        unfreeze_from=unfreeze_from,
        epochs=2,
    )
    # 120 photos to train on, 120 to validate on: chance would be 0.5.
    assert training.best.row["val_accuracy"] > 0.85
    assert not training.proof.frozen_moved


@pytest.mark.slow
def test_a_second_run_reads_what_the_first_computed(drawn_photos, tmp_path):
    """And gives the same history; with other photos it computes anew."""
    photos = shutil.copytree(drawn_photos, tmp_path / "photos")
    cache = tmp_path / "cache"
    histories, shards = [], []
    for number in range(3):
        if number == 2:  # another photo under the name of one
            a, b = sorted(photos.glob("cat/*.jpg"))[:2]
            shutil.copy(b, a)
        training = train(
            tmp_path / f"run{number}", data=photos, cache_dir=cache, **SMALL
        )
        histories.append(epochs_of(training))
        times = {path: path.stat().st_mtime_ns for path in cache.glob("*/*")}
        shards.append(times)
    assert shards[0] == shards[1]
    assert shards[1].items() < shards[2].items()
    assert histories[0] == histories[1] != histories[2]


def test_a_cache_that_cannot_be_written_is_one_line(
    drawn_photos, tmp_path, capsys
):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "cache"
    train(
        tmp_path / "run", data=drawn_photos, cache_dir=path, silent=False,
        **SMALL,
    )  # fmt: skip
    said = capsys.readouterr().out
    assert said.count(f"Cache off: cannot write to {path}") == 1
