"""Fixtures: small drawn photos, and the shared real ones where they are."""

import os
import shutil
import signal
import sys
from collections import Counter
from pathlib import Path

from tests.support import own_home
from tests.support import session as limits

os.environ.update(own_home.variables())  # each pytest-xdist worker its own
os.environ.update(limits.variables())
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# Two workers share two cores: with more threads they wait for each other.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

import numpy as np
import pytest

from tests.support import presets, scripts
from tests.support.paths import SHARED


def pytest_configure():
    """Lets Ctrl-C reach what tests start.

    What a shell starts in the background ignores it, and so do its children.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup():
    """Seeds each test: which others ran before it in a worker is chance."""
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)


def pytest_collection_modifyitems(items):
    """Puts long files first: the short ones then keep both workers busy."""
    slow = Counter(
        item.path
        for item in items
        if any(item.iter_markers("slow")) or any(item.iter_markers("process"))
    )
    items.sort(key=lambda item: -slow[item.path])  # keeps the order in a file


def pytest_sessionfinish(session):
    """Fails a session with skips that aren't allowed, or many processes."""
    if hasattr(session.config, "workerinput"):
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = [x.longrepr[2] for x in reporter.stats.get("skipped", [])]
    processes, found = limits.problems(skipped)
    reporter.write_line(f"{processes} processes imported TensorFlow")
    for line in found:
        reporter.write_line(line, red=True)
    if found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def drawn_photos(tmp_path_factory):
    """A folder with 24 drawn cats and 24 drawn dogs, as JPEG files."""
    from thaw.demo.demo_set import draw_demo_set

    folder = tmp_path_factory.mktemp("drawn")
    draw_demo_set(folder, photos_per_class=24)
    return folder


@pytest.fixture(scope="session")
def images():
    """Four random images, float32 (4, 70, 90, 3) in [0, 255]."""
    rng = np.random.default_rng(0)
    return rng.uniform(0, 255, (4, 70, 90, 3)).astype("float32")


@pytest.fixture(scope="session")
def hub_preset(tmp_path_factory):
    """Folder of a KerasHub preset: a thin ResNet-18 for images of 64 pixels."""
    import keras_hub  # takes seconds

    folder = tmp_path_factory.mktemp("hub") / "resnet_18_thin"
    keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 8, 16, 16],
        stackwise_num_blocks=[2, 2, 2, 2],
        stackwise_num_strides=[1, 2, 2, 2],
        block_type="basic_block",
    ).save_to_preset(str(folder))
    keras_hub.layers.ResNetImageConverter(
        image_size=(64, 64),
        scale=[1 / 58.0, 1 / 57.0, 1 / 56.0],
        offset=[-2.1, -2.0, -1.8],
    ).save_to_preset(str(folder))
    return folder


@pytest.fixture(scope="session")
def small_preset(tmp_path_factory):
    """Returns a function of a family of `presets`: folder, and backbone."""
    made = {}

    def preset(family):
        if family not in made:
            folder = tmp_path_factory.mktemp("hub") / "preset"
            made[family] = folder, presets.save_preset(folder, family)
        return made[family]

    return preset


@pytest.fixture(scope="session")
def shared():
    """The folder with real photos and backbones; skips where it is missing."""
    if not (SHARED / "cats_vs_dogs").is_dir():
        pytest.skip(f"no real photos at {SHARED}")
    return SHARED


@pytest.fixture
def run_script(tmp_path):
    """Runs a script of the project in a folder of its own.

    Returns a function of (script, *arguments) that returns `returncode`,
    `stdout` and `stderr`. It runs in this process, and of train.py no fresh
    process opens the model, unless `process` or `verify` ask for it.
    """

    def run(script, *arguments, process=False, **options):
        call = scripts.run_process if process else scripts.run_here
        return call(script, *arguments, **({"cwd": tmp_path} | options))

    return run


@pytest.fixture(scope="session")
def train_script(drawn_photos, tmp_path_factory):
    """Output of train.py, `stdout` and `stderr`, and its `run_dir`.

    The run folder is not to be changed.
    """
    place = tmp_path_factory.mktemp("train")
    done = scripts.run_here(
        "train.py", "--data", drawn_photos, "--backbone=vgg16_tiny",
        "--unfreeze-from", "block5_conv1", "--head_epochs=2", "--epochs=2",
        "--image_size=48", "--seed=7", cwd=place,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    done.run_dir = (place / "runs" / "latest").resolve()
    return done


@pytest.fixture(scope="session")
def trained_run(train_script):
    """Folder of a finished run on drawn photos, not to be changed."""
    return train_script.run_dir


@pytest.fixture
def run_dir(trained_run, tmp_path):
    """A copy of `trained_run`."""
    return Path(shutil.copytree(trained_run, tmp_path / trained_run.name))
