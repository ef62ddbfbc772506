import csv
import io
import json
import os
import re
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tests.support.corpus import make_corpus
from thaw.data import MAX_PIXELS
from thaw.data.decode import load_photo
from thaw.data.inspect import Inspector


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return make_corpus(tmp_path_factory.mktemp("corpus") / "files")


@pytest.fixture(scope="module")
def found(corpus):
    paths = list(corpus)
    return dict(zip(paths, inspect_all(paths), strict=True))


def inspect_all(paths):
    with Inspector(MAX_PIXELS) as inspector:
        return list(inspector.inspect_all(paths))


def test_it_is_large(corpus):
    assert len(corpus) >= 300


def test_each_is_a_right_picture_or_has_a_reason(corpus, found):
    wrong = []
    for path, case in corpus.items():
        inspection = found[path]
        name = os.path.basename(path)
        if inspection.reason is not None:
            if case.reason is None or not re.search(
                case.reason, inspection.reason
            ):
                wrong.append(f"{name}: {inspection.reason}")
            continue
        if case.reason is not None and not case.either:
            wrong.append(f"{name}: was taken for a photo")
            continue
        shown = load_photo(path, tf.constant(inspection.plain)).numpy()
        assert shown.dtype == "float32"
        if case.picture is None:
            continue
        if shown.shape != case.picture.shape:
            wrong.append(f"{name}: {shown.shape}")
            continue
        difference = np.abs(shown - case.picture).mean()
        if difference > case.close:
            wrong.append(f"{name}: differs by {difference:.1f}")
    assert not wrong, "\n".join(wrong)


def test_nothing_is_left_open(corpus):
    def descriptors():
        return sorted(os.listdir("/proc/self/fd"))

    paths = list(corpus)[::10]
    inspect_all(paths)
    before = descriptors()
    inspect_all(paths)
    assert descriptors() == before


@pytest.mark.slow
def test_training_runs_through_without_the_bad_ones(
    corpus, found, drawn_photos, tmp_path, run_script
):
    data = tmp_path / "data"
    shutil.copytree(drawn_photos, data)
    make_corpus(data / "cat" / "odd")
    os.mkfifo(data / "dog" / "pipe.jpg")
    os.symlink("dead.jpg", data / "dog" / "dead.jpg")
    os.symlink("..", data / "dog" / "circle")
    arguments = [
        f"--data={data}",
        f"--run_dir={tmp_path / 'run'}",
        "--backbone=vgg16_tiny",
        "--weights=none",
        "--image_size=32",
        "--head_epochs=1",
        "--epochs=1",
        "--cache_views=1",
    ]
    stopped = run_script("train.py", *arguments)
    bad = sum(inspection.reason is not None for inspection in found.values())
    assert stopped.returncode == 2
    assert (
        f"{bad} of {len(corpus) + 48} photos cannot be used" in stopped.stderr
    )
    done = run_script("train.py", *arguments, "--skip_bad=40%")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    listed = (tmp_path / "run" / "bad_photos.csv").read_text(
        "utf-8", errors="surrogateescape"
    )
    assert len(list(csv.DictReader(io.StringIO(listed)))) == bad
    summary = json.loads((tmp_path / "run" / "run.json").read_text())
    counts = [sum(side.values()) for side in summary["photos"].values()]
    assert sum(counts) == len(corpus) + 48 - bad
