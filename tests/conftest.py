"""Fixtures: small drawn photos, and the shared real ones where they are."""

import os
import subprocess
import sys

from tests.support import own_home

os.environ.update(own_home.variables())  # each pytest-xdist worker its own
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import numpy as np
import pytest

from tests.support.paths import ROOT, SHARED


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
def shared():
    """The folder with real photos and backbones; skips where it is missing."""
    if not (SHARED / "cats_vs_dogs").is_dir():
        pytest.skip(f"no real photos at {SHARED}")
    return SHARED


@pytest.fixture
def run_script(tmp_path):
    """Runs a script of the project in a folder of its own.

    Returns a function of (script, *arguments) that returns the finished
    process, with `stdout` and `stderr` as text. Of train.py it leaves out what
    tests/support/quick_train.py says, unless `opened_anew`.
    """

    def run(script, *arguments, opened_anew=False, **environment):
        if script == "train.py" and not opened_anew:
            script = "tests/support/quick_train.py"
        return subprocess.run(
            [sys.executable, ROOT / script, *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "XDG_CACHE_HOME": str(tmp_path), **environment},
            capture_output=True,
            text=True,
            timeout=400,
        )

    return run
