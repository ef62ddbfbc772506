import csv
import functools
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image

from model_zoo import build_model
from model_zoo.boundary import split
from tests.support.paths import ROOT
from thaw.cli import app, photo_arguments, predict_progress
from thaw.data import datasets, load
from thaw.inference.rows import describe
from thaw.run import Run
from thaw.runs.writer import RunFolder


@pytest.fixture
def predict(run_script):
    """A function of arguments that runs predict.py in this process."""
    return functools.partial(run_script, "predict.py")


@pytest.fixture
def standard_input(tmp_path, monkeypatch):
    """A function of bytes that puts them on the standard input."""
    with open(tmp_path / "stdin", "w+b") as file:

        def put(content):
            file.write(content)
            file.seek(0)
            monkeypatch.setattr(photo_arguments, "_STDIN", file.fileno())

        yield put


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    """A run folder with an untrained model of three classes."""
    return make_run(tmp_path_factory.mktemp("run"), ["cat", "dog", "owl"])


def make_run(folder, class_names):
    model = build_model(
        "vgg16_tiny", len(class_names), weights="auto", resize="pad"
    )
    run = RunFolder.create(folder / "run")
    run.save_class_names(class_names)
    run.save_model(model, class_names)
    return run.path


@pytest.fixture(scope="module")
def odd_photos(drawn_photos, tmp_path_factory):
    """A folder with photos of odd names, and files that are no photos."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "a [1]").mkdir()
    (folder / "a [1]" / "b").mkdir()
    some = sorted(drawn_photos.glob("*/*.jpg"))
    for name, photo in zip(
        ("-x.jpg", "a [1]/c d.jpg", "a [1]/b/c d.jpg", "new\nline.jpg"),
        some,
        strict=False,
    ):
        shutil.copy(photo, folder / name)
    shutil.copy(some[4], os.fsencode(folder) + b"/bad\xff.jpg")
    (folder / "empty.jpg").touch()
    (folder / "text.jpg").write_text("hello")
    return folder


def test_predictions_equal_those_of_the_training_pipeline(
    predict, drawn_photos, tmp_path
):
    run_dir = make_run(tmp_path, ["cat", "dog"])
    done = predict(run_dir, drawn_photos, "--format=csv")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert list(rows[0]) == ["path", "predicted", "probability", "cat", "dog"]

    model = keras.saving.load_model(run_dir / "model.keras")
    frozen, trained = split(model, model.get_layer("block5_conv1"))
    photos, _ = load.load_photos(drawn_photos)
    resize = model.get_layer("resize")
    images_ds = datasets.PhotoViews(photos, resize, resize.height).images(
        0, np.arange(len(photos)), batch_size=20
    )
    expected = np.concatenate(
        [
            trained.predict_on_batch(frozen.predict_on_batch(images))
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


def test_json_has_one_entry_a_photo(predict, run_dir, drawn_photos):
    photo = drawn_photos / "cat" / "0000.jpg"
    done = predict(run_dir, photo, photo, "--format=json")
    rows = json.loads(done.stdout)
    assert len(rows) == 2 and rows[0] == rows[1]
    assert list(rows[0])[:3] == ["path", "predicted", "probability"]
    assert sum(
        rows[0][name] for name in ("cat", "dog", "owl")
    ) == pytest.approx(1)
    assert done.stderr == ""


def test_python_gets_the_same_to_the_last_bit(predict, run_dir, odd_photos):
    done = predict(run_dir, odd_photos, "--format=jsonl", "--top=2")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    found = Run(run_dir).predict(odd_photos, top=2)
    assert rows == [describe(x, 2) for x in found if x.error is None]


def test_the_table_is_aligned(predict, run_dir, drawn_photos):
    done = predict(run_dir, drawn_photos / "cat")
    lines = done.stdout.splitlines()
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
        (["{run}", "{tmp}/**/*.jpg"], "No photos match"),
        (["{run}", "-"], "no paths on standard input"),
        (
            ["{run}", "{photo}", "--top=0"],
            "--top must be an integer of at least 1",
        ),
        (
            ["{run}", "{photo}", "--unsure_below=60"],
            "--unsure_below must be a finite number from 0 to 1",
        ),
        (
            ["{run}", "{photo}", "--top=2", "--format=contest"],
            "--top and --format=contest do not go together",
        ),
        (
            ["{run}", "{run}/class_names.json", "--format=contest"],
            "class_names.json: not an image",
        ),
        (["{run}", "{cat}", "--grad_cam={cat}/x"], "is inside"),
        (["{run}", "{photo}", "--grad_cam={cat}"], "there are photos in"),
        (["{tmp}", "{photo}"], "is not a run folder"),
        (
            ["{run}", "{photo}", "--format=xml"],
            "--format must be one of table, csv",
        ),
    ],
)
def test_bad_input_is_one_message_and_status_2(
    predict, standard_input, run_dir, drawn_photos, tmp_path, arguments, message
):
    standard_input(b"")
    names = {
        "run": run_dir,
        "tmp": tmp_path / "empty",
        "cat": drawn_photos / "cat",
        "photo": drawn_photos / "cat" / "0000.jpg",
    }
    names["tmp"].mkdir()
    done = predict(*(argument.format(**names) for argument in arguments))
    assert done.stdout == ""
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_goes_away_is_no_error(
    run_dir, drawn_photos, monkeypatch, capfd
):
    read, write = os.pipe()
    os.close(read)
    with open(write, "w") as stdout, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stdout)
        arguments = ["predict.py", str(run_dir), str(drawn_photos)]
        assert app.main("predict", arguments) == 141  # as a shell says it
    assert "Traceback" not in capfd.readouterr().err


def test_a_contest_has_one_label_for_each_id(predict, run_dir, drawn_photos):
    done = predict(run_dir, drawn_photos, "--format=contest")
    assert done.returncode == 2
    assert "have the same id" in done.stderr


def test_a_contest_gets_id_and_label(predict, run_dir, drawn_photos, tmp_path):
    folder = tmp_path / "unlabelled"
    folder.mkdir()
    some = sorted(drawn_photos.glob("*/*.jpg"))[:3]
    for name, photo in zip(("0010", "9", "1"), some, strict=True):
        shutil.copy(photo, folder / f"{name}.jpg")
    done = predict(run_dir, folder, "--format=contest")
    assert done.returncode == 0, done.stderr
    rows = list(csv.reader(io.StringIO(done.stdout)))
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


def test_bad_photos_are_named_and_left_out(predict, run_dir, odd_photos):
    done = predict(run_dir, odd_photos, "--format=json")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"predict.py: {odd_photos}/empty.jpg: empty",
        f"predict.py: {odd_photos}/text.jpg: not an image",
        "predict.py: 2 of 7 photos cannot be used.",
    ]
    names = [os.path.basename(x["path"]) for x in json.loads(done.stdout)]
    assert names == ["-x.jpg", "c d.jpg", "c d.jpg", "bad\udcff.jpg"] + [
        "new\nline.jpg"
    ]


def test_odd_names_and_globs_as_arguments(
    predict, run_dir, odd_photos, tmp_path
):
    done = predict(
        run_dir,
        "--format=jsonl",
        "--",
        "-x.jpg",
        "a [1]/c d.jpg",
        "**/c d.jpg",
        "[na]*",
        cwd=odd_photos,
        XDG_CACHE_HOME=str(tmp_path),
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["path"] for row in rows] == [
        "-x.jpg",
        "a [1]/c d.jpg",
        "a [1]/b/c d.jpg",
        "a [1]/c d.jpg",
        "a [1]/b/c d.jpg",  # of the folder
        "a [1]/c d.jpg",
        "new\nline.jpg",
    ]
    assert rows[1] == rows[3] == rows[5]


@pytest.mark.parametrize("end", [b"\n", b"\0"])
def test_a_list_of_names_may_hold_any_name(
    predict, standard_input, run_dir, odd_photos, tmp_path, end
):
    names = [b"-x.jpg", b"bad\xff.jpg", b"gone.jpg", b"", b"a [1]/c d.jpg"]
    if end == b"\0":
        names.append(b"new\nline.jpg")
    standard_input(end.join(names))
    done = predict(
        run_dir,
        "-",
        "--format=jsonl",
        cwd=odd_photos,
        XDG_CACHE_HOME=str(tmp_path),
    )
    assert done.returncode == 1
    assert "gone.jpg: No such file or directory\n" in done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [os.fsencode(row["path"]) for row in rows] == [
        name for name in names if name not in (b"gone.jpg", b"")
    ]


@pytest.mark.process
def test_rows_come_before_the_list_ends(run_dir, drawn_photos):
    """And Ctrl-C leaves what was printed, a whole list."""
    process = subprocess.Popen(
        [sys.executable, ROOT / "predict.py", run_dir, "-", "--format=json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    photos = sorted(drawn_photos.glob("cat/*.jpg"))[:3]
    printed = b""
    for photo in photos:
        process.stdin.write(os.fsencode(photo) + b"\n")
        process.stdin.flush()
        while f'"{photo}"'.encode() not in printed or (
            not printed.endswith(b"}")
        ):
            printed += os.read(process.stdout.fileno(), 1 << 16)
    process.send_signal(signal.SIGINT)
    rest, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.endswith(b"predict.py: Stopped by Ctrl-C.\n")
    rows = json.loads(printed + rest)
    assert [row["path"] for row in rows] == list(map(str, photos))


def test_a_photo_gets_the_same_alone_and_among_others(
    predict, run_dir, drawn_photos
):
    folder = drawn_photos / "dog"
    together = json.loads(predict(run_dir, folder, "--format=json").stdout)
    photo = folder / "0007.jpg"
    (alone,) = json.loads(predict(run_dir, photo, "--format=json").stdout)
    among = together[7]
    assert (alone["path"], alone["predicted"]) == (
        among["path"],
        among["predicted"],
    )
    for name in ("probability", "cat", "dog", "owl"):
        assert alone[name] == pytest.approx(among[name], abs=1e-6)


def test_top_lists_the_likeliest_classes(predict, run_dir, drawn_photos):
    photo = drawn_photos / "cat" / "0000.jpg"
    every = predict(run_dir, photo, "--format=jsonl")
    row = json.loads(every.stdout)
    ordered = sorted(["cat", "dog", "owl"], key=row.get, reverse=True)
    top = [{"class": name, "probability": row[name]} for name in ordered]
    done = predict(run_dir, photo, "--format=jsonl", "--top=2")
    assert json.loads(done.stdout) == {
        "path": str(photo),
        "predicted": ordered[0],
        "probability": row[ordered[0]],
        "top": top[:2],
    }
    done = predict(run_dir, photo, "--format=csv", "--top=99")
    header, cells = csv.reader(io.StringIO(done.stdout))
    assert header[3:] == [
        f"{kind}_{place}"
        for place in (1, 2, 3)
        for kind in ("class", "probability")
    ]
    assert cells[3:] == [str(x) for pair in top for x in pair.values()]
    done = predict(run_dir, photo, "--top=1")
    assert done.stdout.splitlines()[-1].endswith(
        f"{row[ordered[0]]:.4f}       {ordered[0]} {row[ordered[0]]:.4f}"
    )


def test_unsure_where_no_class_is_probable_enough(
    predict, run_dir, drawn_photos
):
    folder = drawn_photos / "dog"
    plain = json.loads(predict(run_dir, folder, "--format=json").stdout)
    threshold = sorted(row["probability"] for row in plain)[12]
    done = predict(
        run_dir, folder, "--format=json", f"--unsure_below={threshold!r}"
    )
    rows = json.loads(done.stdout)
    assert [row["predicted"] for row in rows] == [
        "unsure" if row["probability"] < threshold else row["predicted"]
        for row in plain
    ]
    assert sum(row["predicted"] == "unsure" for row in rows) == 12


def test_a_class_of_the_name_unsure_is_not_mixed_up(
    predict, drawn_photos, tmp_path
):
    run_dir = make_run(tmp_path, ["sure", "unsure"])
    done = predict(
        run_dir, drawn_photos / "cat" / "0000.jpg", "--unsure_below=0.6"
    )
    assert done.returncode == 2
    assert "a class is named 'unsure'" in done.stderr


@pytest.mark.parametrize("class_names", [["cat", "dog"], ["a", "b", "c"]])
def test_grad_cam_draws_a_picture_of_each_photo(
    predict, odd_photos, tmp_path, class_names
):
    run_dir = make_run(tmp_path, class_names)
    pictures = tmp_path / "new" / "pictures"
    before = sorted(odd_photos.rglob("*"))
    done = predict(
        run_dir,
        odd_photos / "a [1]",
        odd_photos,
        f"--grad_cam={pictures}",
        "--format=jsonl",
    )
    assert done.returncode == 1, done.stderr
    names = sorted(path.name for path in pictures.iterdir())
    assert [name.rsplit("-", 2)[0] for name in names] == [
        "-x",
        "bad",
        "c d",
        "c d",
        "new_nline",
    ]
    for name in names:
        with Image.open(pictures / name) as picture:
            width, height = picture.size
            pixels = np.asarray(picture, "int64")
        left, right = pixels[8:328, 8:328], pixels[8:328, 336:656]
        assert (width, height) == (664, 368)
        assert np.abs(left - right).max() > 20  # there is heat over it
        assert pixels[336:].min() < 50  # words
    assert sorted(odd_photos.rglob("*")) == before


def test_how_fast_it_went_is_said_of_many_photos(
    predict, run_dir, drawn_photos, monkeypatch
):
    monkeypatch.setattr(predict_progress, "_MANY", 24)
    done = predict(run_dir, drawn_photos / "cat")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 2 + 24
    assert re.fullmatch(r"24 photos in [\d.]+ s, \d+ photos/s\n", done.stderr)
