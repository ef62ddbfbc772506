import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from model_zoo import build_model
from tests.support.paths import ROOT
from thaw.data import decode
from thaw.errors import MachineError, NotVerified
from thaw.runs.verify import REFUSE_OUR_CODE, FreshProcessCheck
from thaw.runs.writer import RunFolder

# What docs/results.md shows.
OPEN_IT = """
import json, sys, zipfile
import keras
import numpy as np

model = keras.saving.load_model("model.keras")
with zipfile.ZipFile("model.keras") as file:
    class_names = json.loads(file.read("metadata.json"))["class_names"]
np.save("probabilities.npy", model.predict(np.load("photos.npy"), verbose=0))
print(json.dumps([class_names, "tensorflow" in sys.modules]))
"""


@pytest.fixture(scope="module")
def model():
    return build_model(
        "vgg16_tiny", 3, unfreeze_from="block5_conv1", weights="auto",
        image_size=48, resize="pad",
    )  # fmt: skip


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    run = RunFolder.create(tmp_path_factory.mktemp("saved") / "run")
    run.save_model(model, ["cat", "dög", "emu"])
    run.save_class_names(["cat", "dög", "emu"])
    return run


@pytest.fixture(scope="module")
def samples(drawn_photos):
    paths = sorted(map(str, drawn_photos.rglob("*.jpg")))
    return decode.load_samples(paths, 10)


def with_other_weights(model):
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    kernel, bias = other.layers[-1].get_weights()
    other.layers[-1].set_weights([kernel, bias + [0, 0, 1]])
    return other


def test_samples_are_pixels_of_the_photos(drawn_photos):
    paths = sorted(map(str, drawn_photos.rglob("*.jpg")))
    samples = decode.load_samples(paths, 5, height=90, width=700)
    assert samples.shape == (5, 90, 700, 3)
    for sample, row in zip(samples, (0, 12, 24, 35, 47), strict=True):
        photo = decode.load_photo(paths[row]).numpy()
        height, width = photo.shape[:2]
        assert height > 90 and width < 700
        np.testing.assert_array_equal(sample[:, :width], photo[:90])
        assert (sample[:, width:] == sample[:, width - 1 : width]).all()


@pytest.mark.process
def test_a_fresh_process_answers_the_same(model, saved, samples):
    with FreshProcessCheck() as check:
        check.open(saved.model_path, samples)
        assert check.compare(model) <= 1e-6
        with pytest.raises(NotVerified, match="differ by up to 0"):
            check.compare(with_other_weights(model))


@pytest.mark.process
def test_a_file_that_cannot_be_opened_is_said(model, saved, samples, tmp_path):
    damaged = tmp_path / "model.keras"
    content = saved.model_path.read_bytes()
    damaged.write_bytes(content[: len(content) // 2])
    with FreshProcessCheck() as check:
        check.open(damaged, samples)
        with pytest.raises(NotVerified, match="can't open it"):
            check.compare(model)


@pytest.mark.process
def test_a_process_that_is_killed_says_nothing_about_the_file(
    model, saved, samples
):
    with FreshProcessCheck() as check:
        check.open(saved.model_path, samples)
        check._process.kill()
        with pytest.raises(MachineError, match="is there enough memory"):
            check.compare(model)


@pytest.mark.process
def test_one_that_is_killed_while_it_waits_is_started_again(
    model, saved, samples
):
    with FreshProcessCheck() as check:
        check._process.kill()
        check._process.wait()
        check.open(saved.model_path, samples)
        assert check.compare(model) <= 1e-6


@pytest.mark.process
def test_it_ends_with_the_process_that_started_it():
    code = """
import os
from thaw.runs.verify import FreshProcessCheck
check = FreshProcessCheck()
print(check._process.pid, check._folder.name, flush=True)
os._exit(1)  # as if killed
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    pid, folder = done.stdout.split()
    shutil.rmtree(folder)
    deadline = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize(
    "name", ["thaw", "model_zoo.build", "augment", "plots"]
)
def test_the_process_cannot_import_our_code(name):
    """Even where it is installed, as here by PYTHONPATH."""
    done = subprocess.run(
        [sys.executable, "-c", f"{REFUSE_OUR_CODE}\nimport {name}"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"{name.split('.')[0]} is Thaw's own code" in done.stderr


@pytest.mark.slow
def test_keras_and_jax_alone_open_it(model, saved, samples):
    python = ROOT / ".venv-jax" / "bin" / "python"
    if not python.exists():
        pytest.skip("`make test` makes .venv-jax, with Keras and JAX only")
    folder = saved.path
    np.save(folder / "photos.npy", samples)
    done = subprocess.run(
        [python, "-I", "-c", OPEN_IT], cwd=folder, text=True,
        capture_output=True, env={**os.environ, "KERAS_BACKEND": "jax"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    class_names, has_tensorflow = json.loads(done.stdout)
    assert class_names == ["cat", "dög", "emu"] and not has_tensorflow
    expected = model.predict(samples, verbose=0)
    answers = np.load(folder / "probabilities.npy")
    np.testing.assert_allclose(answers, expected, atol=1e-4)
