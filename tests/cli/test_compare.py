import csv
import json
import re
import shutil

import matplotlib.image
import numpy as np
import pytest

import thaw
from thaw.runs import photo_tables, reader


@pytest.fixture
def runs(trained_run, tmp_path):
    """A folder with two runs, and the link to one."""
    for name, own in (("plain", ""), ("other", "--optimizer=adam\n")):
        run = shutil.copytree(trained_run, tmp_path / "runs" / name)
        (run / "flags.txt").write_text(f"--epochs=2\n{own}")
    (tmp_path / "runs" / "latest").symlink_to("other")
    return tmp_path / "runs"


def write_predictions(run, num_right, name="p", count=200):
    """Writes predictions of which the first ones are right."""
    with open(run / "predictions.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "predicted", "cat", "dog"])
        for row in range(count):
            label = "dog" if row % 2 else "cat"
            other = "cat" if row % 2 else "dog"
            predicted = label if row < num_right else other
            sure = (0.9, 0.1) if predicted == "cat" else (0.1, 0.9)
            writer.writerow([f"{name}/{row}.jpg", label, predicted, *sure])


def summary(run):
    return json.loads((run / "run.json").read_text())


def test_runs_are_drawn_and_told_apart(runs, run_script, tmp_path):
    for name, val_accuracy in (("plain", 0.9), ("other", 0.8)):
        content = (runs / name / "history.csv").read_text().splitlines()
        cells = content[2].split(",")  # the second epoch is the best one
        cells[5:7] = ["0.001", str(val_accuracy)]
        content[2] = ",".join(cells)
        (runs / name / "history.csv").write_text("\n".join(content) + "\n")
    write_predictions(runs / "plain", 180)
    write_predictions(runs / "other", 160)
    done = run_script("compare.py", "runs/latest", "runs/other", "runs/plain")
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    seconds = [round(summary(runs / x)["seconds"]) for x in ("plain", "other")]
    shown = [re.sub("  +", " | ", x) for x in done.stdout.splitlines()]
    assert [line for line in shown if line.strip("- |")] == [
        "run | kept epoch | val accuracy | val loss | seconds",
        f"plain | 2 of 4 | 0.9000 | 0.0010 | {seconds[0]}",
        f"other | 2 of 4 | 0.8000 | 0.0010 | {seconds[1]}",
        "run | flags that differ (others have the default)",
        "plain",
        "other | --optimizer=adam",
        "Less plain, on the validation photos that both have:",
        "run | photos | accuracy | log loss",
        # 20 photos that only the first has right; each costs ln 9.
        "other | 200 | -0.1000 (-0.1450 to -0.0600), more than noise | "
        "+0.2197 (+0.1318 to +0.3186), more than noise",
        "Drawn in runs/compare.png",
    ]
    picture = matplotlib.image.imread(tmp_path / "runs" / "compare.png")
    assert picture.shape[1] == 1650


def test_noise_is_reported(runs, run_script):
    write_predictions(runs / "plain", 180)
    write_predictions(runs / "other", 179)
    done = run_script("compare.py", runs / "plain", runs / "other")
    assert done.stdout.count("within noise") == 2
    assert "more than noise" not in done.stdout
    again = run_script("compare.py", runs / "plain", runs / "other")
    assert again.stdout == done.stdout


def test_each_run_of_a_glob_is_compared_once(runs, run_script, tmp_path):
    (runs / "doctor").mkdir()
    (runs / "begun").mkdir()
    (runs / "begun" / "flags.txt").touch()
    shutil.copytree(runs / "plain", runs / "killed")
    (runs / "killed" / "run.json").unlink()
    with open(runs / "killed" / "history.csv", "a") as file:
        file.write("fine_tune,5,1.0,nan,0.5,nan,0.5,1e-5\n")
    write_predictions(runs / "plain", 180)
    for name in ("killed", "other"):
        (runs / name / "predictions.csv").unlink()
    names = sorted(f"runs/{path.name}" for path in runs.iterdir())
    for _ in range(2):  # now there is a picture as well
        done = run_script("compare.py", *names)
        assert done.returncode == 0, done.stderr
        names = sorted(f"runs/{path.name}" for path in runs.iterdir())
    table = done.stdout.split("\n\n")[0].splitlines()[2:]
    assert sorted(line.split()[0] for line in table) == [
        "killed", "other", "plain",
    ]  # fmt: skip
    (killed,) = [line for line in table if "has not ended" in line]
    assert " of 5 " in killed
    assert "Skipped, not a run: runs/compare.png\n" in done.stderr
    assert "Skipped, not a run: runs/begun\n" in done.stderr
    assert "Skipped, not a run: runs/doctor\n" in done.stderr
    assert "other has no predictions.csv" in done.stdout
    assert "killed has no predictions.csv" in done.stdout


@pytest.mark.parametrize(
    "change, reason",
    [
        (lambda run: write_predictions(run, 9, name="q"), "0 of its valid"),
        (lambda run: write_predictions(run, 1, count=1), "1 of its valid"),
        (
            lambda run: (run / "predictions.csv").write_text(
                "path,label,predicted,cat,fox\np/0.jpg,cat,cat,1,0\n"
            ),
            "its classes differ",
        ),
    ],
)
def test_incomparable_runs_are_reported_and_drawn(
    runs, run_script, change, reason
):
    write_predictions(runs / "plain", 180)
    change(runs / "other")
    done = run_script("compare.py", runs / "plain", runs / "other")
    assert done.returncode == 0, done.stderr
    assert f"cannot be compared: {reason}" in done.stdout
    assert "noise" not in done.stdout and "Drawn in" in done.stdout


def test_shared_photos_are_counted(runs, run_script):
    write_predictions(runs / "plain", 180)
    write_predictions(runs / "other", 20, count=50)
    done = run_script("compare.py", runs / "plain", runs / "other")
    assert "50 of 200" in done.stdout


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "Expected two different run folders"),
        (["runs/plain"], "Expected two different run folders"),
        (["runs/other", "runs/latest"], "Expected two different run folders"),
        (["runs/plain", "runs/othr"], "There is no runs/othr"),
        (["runs/plain", "runs"], "runs is not a run folder"),
        (["runs/plain", "runs/other", "photos"], "photos is not a run folder"),
        (["runs/plain", "runs/other", "--output=x.txt"], "--output: expected"),
        (["runs/plain", "runs/damaged"], "Is the file complete"),
    ],
)
def test_mistakes_are_one_message(
    runs, run_script, tmp_path, arguments, message
):
    (tmp_path / "photos").mkdir()
    shutil.copytree(runs / "plain", runs / "damaged")
    (runs / "damaged" / "predictions.csv").write_text("path,label\nx\n")
    done = run_script("compare.py", *arguments)
    assert done.returncode == 2
    assert message in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.process
def test_names_of_runs_are_text(runs, run_script, tmp_path):
    """Two of one name, and names that a picture might take for more."""
    for name in ("_a$1$", "b/_a$1$", "\u4e2d\udcff\n"):
        shutil.copytree(runs / "plain", tmp_path / name)
    done = run_script(
        "compare.py", "_a$1$", "b/_a$1$", "\u4e2d\udcff\n",
        "--output=out/all.svg", process=True, PYTHONIOENCODING="ascii",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "\nb/_a$1$ " in done.stdout and "\u4e2d\udcff\\n" in done.stdout
    assert (tmp_path / "out" / "all.svg").stat().st_size


def test_runs_are_compared_in_python(runs):
    write_predictions(runs / "plain", 180)
    write_predictions(runs / "other", 160)
    comparison = thaw.compare(thaw.load_run(runs / "other"), runs / "plain")
    assert [run.name for run in comparison.runs] == ["other", "plain"]
    found = comparison.differences["plain"]
    assert (found.shared, found.photos) == (200, 200)
    assert found.accuracy.mean == pytest.approx(0.1)
    assert not found.log_loss.within_noise
    assert "Less other, on the validation photos" in str(comparison)
    assert len(comparison.plot().axes) == 2
    with pytest.raises(thaw.UserError, match="Expected two different run"):
        thaw.compare(runs / "plain")


def test_top_5_accuracy_of_many_classes(runs):
    names = [f"c{number}" for number in range(11)]
    for run, best in (("plain", "c10"), ("other", "c4")):
        with open(runs / run / "predictions.csv", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["path", "label", "predicted", *names])
            for name in names:  # the more probable, the nearer to `best`
                of_class = [
                    1 / (1 + abs(i - names.index(best))) for i in range(11)
                ]
                writer.writerow([f"{name}.jpg", name, best, *of_class])
    text = str(thaw.compare(runs / "plain", runs / "other"))
    assert "top-5 accuracy" in text.splitlines()[0]
    assert text.count("0.4545") == 2  # 5 of 11 photos
    write_predictions(runs / "plain", 180)
    write_predictions(runs / "other", 180)
    assert "top-5" not in str(thaw.compare(runs / "plain", runs / "other"))


def test_files_are_read_as_they_were_written(runs):
    run = runs / "plain"
    history = reader.load_history(run)
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]
    assert history[0]["stage"] == "head"
    assert reader.load_summary(run)["epochs"] == 4
    assert reader.load_flags(run) == ["--epochs=2"]
    found = photo_tables.load_predictions(run)
    assert len(found.paths) == len(found.labels) == len(found.probabilities)
    (run / "predictions.csv").unlink()
    assert photo_tables.load_predictions(run) is None
    with open(
        run / "predictions.csv", "w", newline="", errors="surrogateescape"
    ) as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "predicted", "label", "path"])
        writer.writerow(["a\udcff,\n.jpg", "path", "label", "0.75", "0.25"])
    found = photo_tables.load_predictions(run)
    assert found.paths == ["a\udcff,\n.jpg"] and found.labels == ["path"]
    assert found.class_names == ["label", "path"]
    np.testing.assert_array_equal(found.probabilities, [[0.75, 0.25]])
