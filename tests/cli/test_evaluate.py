import contextlib
import csv
import json
import os
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

import thaw
from tests.support.training import train
from thaw.errors import MachineError, NotVerified
from thaw.evaluation import metrics
from thaw.evaluation.predictions import predictions_of_training
from thaw.reports import evaluate

OWL = "<b>owl $\\frac$ $"  # a name that is neither HTML nor a formula
PICTURES = ("confusion", "roc", "precision_recall", "reliability",
            "class_counts", "feature_map", "doubtful")  # fmt: skip


def read_predictions(folder):
    """Returns labels, predicted, probabilities (N, C), class names, paths."""
    with open(
        folder / "predictions.csv", newline="", errors="surrogateescape"
    ) as file:
        titles, *rows = csv.reader(file)
    names = titles[3:]
    probabilities = np.array([row[3:] for row in rows], "float64")
    labels = np.array([names.index(row[1]) for row in rows])
    predicted = np.array([names.index(row[2]) for row in rows])
    return labels, predicted, probabilities, names, [row[0] for row in rows]


@pytest.fixture(scope="module")
def trained(tmp_path_factory, drawn_photos):
    """A run folder on photos of three classes; of the third there are few."""
    folder = tmp_path_factory.mktemp("evaluate")
    data = shutil.copytree(drawn_photos, folder / "photos")
    (data / OWL).mkdir()
    names = [os.fsdecode(b"\xff\xe9"), "$", "a b", "3", "4", "5"]
    for name, path in zip(names, sorted(data.glob("cat/*.jpg")), strict=False):
        path.rename(data / OWL / f"{name}.jpg")
    return thaw.fine_tune(
        data,
        backbone="vgg16_tiny",
        image_size=48,
        head_epochs=2,
        epochs=2,
        batch_size=8,
        validation_fraction=0.4,
        run_dir=folder / "run",
        verify=False,
        verbose=0,
    ).path


@pytest.fixture
def run_dir(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "run")


def test_a_run_leaves_its_evaluation(trained):
    for name in PICTURES:
        assert (trained / f"{name}.png").stat().st_size > 5000
    page = (trained / "report.html").read_text()
    assert (
        OWL not in page
        and OWL.replace("<", "&lt;").replace(">", "&gt;") in page
    )
    assert "What to try next" in page and len(page) < 5e6
    assert "Accuracy " in page and " validation photos (95% CI " in page
    assert "python train.py --flagfile=" in page
    assert "Traceback" not in page


def test_every_number_is_that_of_scikit_learn_on_the_csv(trained):
    labels, predicted, probabilities, names, paths = read_predictions(trained)
    np.testing.assert_array_equal(predicted, probabilities.argmax(axis=1))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    found = json.loads((trained / "metrics.json").read_text())
    exact = probabilities / probabilities.sum(axis=1, keepdims=True)
    assert found["support"] == len(set(paths)) == len(paths)
    assert found["accuracy"] == sklearn_metrics.accuracy_score(
        labels, predicted
    )
    assert found["balanced_accuracy"] == pytest.approx(
        sklearn_metrics.balanced_accuracy_score(labels, predicted)
    )
    assert found["log_loss"] == pytest.approx(
        sklearn_metrics.log_loss(labels, exact)
    )
    assert found["brier_score"] == pytest.approx(
        sklearn_metrics.brier_score_loss(labels, exact)
    )
    assert found["confusion_matrix"] == (
        sklearn_metrics.confusion_matrix(labels, predicted).tolist()
    )
    report = sklearn_metrics.classification_report(
        labels, predicted, output_dict=True, zero_division=0.0
    )
    for label, name in enumerate(names):
        of_class = found["classes"][name]
        for ours, theirs in (
            ("precision", "precision"), ("recall", "recall"),
            ("f1", "f1-score"), ("support", "support"),
        ):  # fmt: skip
            assert of_class[ours] == pytest.approx(report[str(label)][theirs])
        assert of_class["roc_auc"] == sklearn_metrics.roc_auc_score(
            labels == label, probabilities[:, label]
        )
    summary = json.loads((trained / "run.json").read_text())
    assert found["accuracy"] == pytest.approx(summary["val_accuracy"], abs=1e-6)
    assert found["log_loss"] == pytest.approx(summary["val_loss"], rel=1e-3)
    losses = [photo["loss"] for photo in found["top_losses"]]
    assert losses == sorted(losses, reverse=True)


def test_evaluating_again_gives_the_same(run_script, run_dir):
    before = read_predictions(run_dir)
    for name in ("report.html", "metrics.json", "roc.png"):
        (run_dir / name).unlink()
    done = run_script("evaluate.py", run_dir, "--min_count=2")
    assert done.returncode == 0, done.stderr
    after = read_predictions(run_dir)
    assert after[3:] == before[3:]
    np.testing.assert_array_equal(after[0], before[0])
    # Training keeps features in half precision.
    np.testing.assert_allclose(after[2], before[2], atol=5e-3)
    found = json.loads((run_dir / "metrics.json").read_text())
    assert all(count >= 2 for *_, count in found["most_confused"])
    assert (run_dir / "report.html").exists() and (run_dir / "roc.png").exists()


def test_other_photos_and_bad_ones(run_script, run_dir, drawn_photos, tmp_path):
    data = shutil.copytree(drawn_photos, tmp_path / "others")
    (data / "cat" / "empty.jpg").touch()
    before = (run_dir / "metrics.json").read_text()
    done = run_script("evaluate.py", run_dir, f"--data={data}")
    assert done.returncode == 0, done.stderr
    assert "empty.jpg" in done.stderr and "skipped" in done.stderr
    assert (run_dir / "metrics.json").read_text() == before
    folder = run_dir / "evaluation-others"
    assert f"Report   {folder / 'report.html'}" in done.stdout
    labels, *_, names, paths = read_predictions(folder)
    assert len(labels) == 48 and names[labels[0]] == "cat"
    assert "48 photos in others" in (folder / "report.html").read_text()
    assert not (folder / "README.md").exists()


def test_the_result_is_an_object(run_dir, tmp_path):
    run = thaw.load_run(run_dir)
    found = run.evaluate(output_dir=tmp_path / "elsewhere")
    assert found.path == tmp_path / "elsewhere" / "report.html"
    assert str(found).startswith("Accuracy ") and found.support == 19
    written = (tmp_path / "elsewhere" / "metrics.json").read_text()
    assert (
        json.loads(written).items()
        >= json.loads(json.dumps(found.to_dict())).items()
    )


def test_photos_of_one_class_and_a_single_one(
    run_dir, drawn_photos, tmp_path, capsys
):
    """A test split with one class, and an empty folder of another."""
    test = tmp_path / "others" / "test"
    shutil.copytree(drawn_photos / "cat", test / "cat")
    (test / "dog").mkdir()
    run = thaw.load_run(run_dir)
    found = run.evaluate(tmp_path / "others", split="test")
    written = capsys.readouterr().out
    assert re.search("^No photos of .*, dog$", written, re.MULTILINE)
    assert found.path.parent.name == "evaluation-others-test"
    assert found.photos == "test photos in others"
    assert found.support == found.confusion_matrix[1].sum() == 24
    assert found.accuracy == found.balanced_accuracy
    assert found.macro_roc_auc is None and found.classes["dog"].recall is None
    labels, *_ = read_predictions(found.path.parent)
    assert set(labels) == {list(found.classes).index("cat")}
    written = json.loads((found.path.parent / "metrics.json").read_text())
    assert written["label_issues"] == {
        "photos": 0, "expected_errors": 0, "not_judged": ["cat"]
    }  # fmt: skip
    page = found.path.read_text()
    assert "Labels of these classes are not judged: cat." in page
    assert "nan" not in re.sub(r"base64,[^\"]*|<script.*?</script>", "", page)
    single = tmp_path / "single" / "dog"
    single.mkdir(parents=True)
    shutil.copy(next((drawn_photos / "dog").iterdir()), single)
    found = run.evaluate(single.parent)
    assert found.support == 1 and found.accuracy in (0, 1)
    assert found.classes["dog"].support == 1


def predict(run_dir, paths):
    """Probabilities by plain Keras, of the model file as it is now."""
    import keras

    from thaw.data.inspect import inspect_photos
    from thaw.data.photos import Photos
    from thaw.inference.predictor import Predictor

    model = keras.saving.load_model(run_dir / "model.keras", compile=False)
    photos = inspect_photos(Photos.unlabelled(paths))
    batches = Predictor(model).predict(photos)
    return np.concatenate([batch.outputs.probabilities for batch in batches])


@pytest.mark.slow
@pytest.mark.process
def test_the_calibrated_model_gives_what_is_reported(run_script, run_dir):
    labels, predicted, before, *_ = read_predictions(run_dir)
    done = run_script("evaluate.py", run_dir, "--calibrate")
    assert done.returncode == 0, done.stderr
    temperature = float(re.search(r"Temperature ([\d.]+):", done.stdout)[1])
    _, same, after, _, paths = read_predictions(run_dir)
    np.testing.assert_array_equal(same, predicted)
    if abs(temperature - 1) > 0.01:
        assert np.abs(after - before).max() > 1e-3
    np.testing.assert_allclose(predict(run_dir, paths), after, atol=1e-5)
    numbers = json.loads((run_dir / "metrics.json").read_text())
    assert numbers["calibration"]["temperature"] == pytest.approx(
        temperature, abs=1e-3
    )
    own = before[np.arange(len(labels)), labels]
    assert numbers["log_loss"] <= -np.log(own).mean() + 1e-4
    assert numbers["expected_calibration_error"] == pytest.approx(
        metrics.calibration_error(labels, after)
    )
    assert numbers["calibration"]["log_loss_after_unseen"] > 0
    page = (run_dir / "report.html").read_text()
    assert "before temperature scaling" in page


@pytest.mark.parametrize(
    "error, status",
    [
        (NotVerified("Do not use it."), 1),
        (MachineError("It may be right."), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_a_calibration_that_is_not_verified_changes_nothing(
    run_script, run_dir, trained, monkeypatch, error, status
):
    @contextlib.contextmanager
    def check():
        yield SimpleNamespace(open=lambda *_: None, compare=fail)

    def fail(_):
        raise error

    monkeypatch.setattr(evaluate, "FreshProcessCheck", check)
    done = run_script("evaluate.py", run_dir, "--calibrate")
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    if status == 1:
        assert f"The model stays as it was. The calibrated one: {error}" in (
            done.stderr
        )
    for name in ("model.keras", "metrics.json", "README.md"):
        assert (run_dir / name).read_bytes() == (trained / name).read_bytes()
    run = thaw.load_run(run_dir)
    weights = run.model.layers[-1].get_weights()
    with pytest.raises(type(error)):
        run.evaluate(calibrate=True)
    after = run.model.layers[-1].get_weights()
    for of_before, of_after in zip(weights, after, strict=True):
        np.testing.assert_array_equal(of_before, of_after)


def test_mistakes(run_script, run_dir, drawn_photos, tmp_path):
    other = tmp_path / "birds"
    shutil.copytree(drawn_photos / "cat", other / "robin")
    shutil.copytree(drawn_photos / "dog", other / "wren")
    gone = shutil.copytree(run_dir, tmp_path / "gone")
    text = (gone / "predictions.csv").read_text(errors="surrogateescape")
    (gone / "predictions.csv").write_text(
        text.replace("/photos/", "/away/"), errors="surrogateescape"
    )
    part = shutil.copytree(run_dir, tmp_path / "part")
    (part / "predictions.csv").write_text(
        text.replace("/photos/cat/", "/away/cat/", 1), errors="surrogateescape"
    )
    old = shutil.copytree(run_dir, tmp_path / "old")
    (old / "predictions.csv").unlink()
    killed = shutil.copytree(run_dir, tmp_path / "killed")
    (killed / "run.json").unlink()
    for arguments, message in (
        ([], "Expected one run folder"),
        ([tmp_path / "nope"], "There is no run folder"),
        ([run_dir, f"--data={other}"], "unknown classes: robin, wren"),
        ([run_dir, "--min_count=0"], "min_count"),
        ([run_dir, "--split=test"], "is a part of --data"),
        ([run_dir, "--split=dev", f"--data={other}"], "--split"),
        ([run_dir, "--split=test", f"--data={other}"], "no folder for test"),
        ([gone], "give other photos (--data)"),
        ([part], "Put them back"),
        ([run_dir, "--calibrate", f"--data={other}"], "Drop --data"),
        ([run_dir, "--calibrate", "--output_dir=x"], "Drop --output_dir"),
        ([old], "has no predictions.csv"),
        ([killed], "Resume it: python train.py --resume="),
    ):
        done = run_script("evaluate.py", *arguments)
        assert done.returncode == 2, done.stdout
        assert message in done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
def test_planted_labels_are_found(shared, tmp_path):
    """A fifth of the cats among the dogs, on real photos.

    The whole set takes minutes; docs/results.md has what comes of it.
    """
    data, planted = tmp_path / "photos", []
    for name, other in (("cats", "dogs"), ("dogs", "cats")):
        photos = sorted((shared / "cats_vs_dogs" / "train" / name).iterdir())
        for number, path in enumerate(photos[:200]):
            is_planted = name == "cats" and number % 5 == 0
            target = data / (other if is_planted else name) / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
            planted += [str(target)] * is_planted
    training = train(
        tmp_path / "run",
        data=data,
        backbone=shared / "backbones" / "mobilenet_to_conv_pw_12.keras",
        preprocess="tf",
        image_size=160,
        unfreeze_from="none",
        augment="none",
        head_epochs=2,
        epochs=0,
    )
    training.best.put_weights_back()
    _, issues = predictions_of_training(
        training.stages[-1], training.views, training.settings
    )
    found = [issue["path"] for issue in issues.rows]
    hits = len(set(found) & set(planted))
    assert hits >= 0.85 * len(found) and hits >= 0.85 * len(planted)
    assert len(found) == len(set(found))
