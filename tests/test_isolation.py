"""A call leaves the process as it was, and does not depend on it."""

import os
import random
import signal
import warnings

import keras
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

import thaw
from benchmarks.kill_and_resume import results
from tests.support.interrupted import Killed, at_call, kill

pytestmark = pytest.mark.slow

QUICK = {
    "limit": 20, "image_size": 32, "head_epochs": 1, "epochs": 1,
    "batch_size": 8, "verify": False, "verbose": 0,
}  # fmt: skip


def state_of_process():
    """Returns all that a call might change for longer than it takes."""
    return {
        "dtype policy": keras.config.dtype_policy().name,
        "signals": [signal.getsignal(x) for x in signal.valid_signals()],
        "pixels": Image.MAX_IMAGE_PIXELS,
        "text": PngImagePlugin.MAX_TEXT_CHUNK,
        "warnings": list(warnings.filters),
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "python": random.getstate(),
        "numpy": tuple(map(str, np.random.get_state())),
        "keras": keras.src.utils.rng_utils.get_random_seed(),
    }


@pytest.fixture(scope="module", autouse=True)
def first(tmp_path_factory):
    """A first run: packages change things when they are first imported."""
    return thaw.fine_tune(
        run_dir=tmp_path_factory.mktemp("first") / "run", **QUICK
    )


@pytest.mark.parametrize("fails", [False, True])
def test_the_process_is_unchanged(tmp_path, fails):
    random.random(), np.random.random()
    before = state_of_process()
    options = QUICK | {"run_dir": tmp_path / "run"}
    if fails:
        place = ("thaw.training.loop", "_validate", 2)
        with at_call(*place, kill), pytest.raises(Killed):
            thaw.fine_tune(precision="mixed_bfloat16", **options)
    else:
        run = thaw.fine_tune(**options)
        list(run.predict(next((tmp_path / "run").glob("augmented.png"))))
        run.evaluate()
        thaw.load_run(run.path)._repr_html_()
    after = state_of_process()
    assert {x for x in before if before[x] != after[x]} == set()


def test_a_run_after_others_is_the_run_alone(first, tmp_path, capsys):
    """Also after one of another precision; and it finds the features."""
    half = QUICK | {"epochs": 0, "precision": "mixed_bfloat16"}
    thaw.fine_tune(run_dir=tmp_path / "half", **half)
    keras.layers.Dense(3), keras.layers.Dropout(0.5), random.random()
    keras.utils.set_random_seed(1), keras.random.uniform((3,))
    second = thaw.fine_tune(run_dir=tmp_path / "run", **QUICK | {"verbose": 2})
    assert results(first.path) == results(second.path)
    said = capsys.readouterr().out
    size = said.split("Cache: ")[1].split()
    assert " is stored already" in said and size  # nothing is computed again:
    assert "0.00 GB" in said
    times = [x["seconds"] for x in (first.summary, second.summary)]
    assert all(times)
