"""keras.json and KERAS_BACKEND of users who train other things, too."""

import contextlib
import json
import sys

import keras
import numpy as np
import pytest

import augment
import thaw
from model_zoo import build_model
from thaw.errors import UserError
from thaw.keras_config import check_keras_config


@pytest.fixture
def before_keras(tmp_path, monkeypatch):
    """Function that writes keras.json, as if Keras were not imported yet."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.delitem(sys.modules, "keras")

    def write(content):
        (tmp_path / "keras.json").write_text(content)

    return write


@contextlib.contextmanager
def channels_first():
    keras.config.set_image_data_format("channels_first")
    try:
        yield
        assert keras.config.image_data_format() == "channels_first"
    finally:
        keras.config.set_image_data_format("channels_last")


@pytest.mark.parametrize(
    "content",
    [
        '{"backend": "tensorflow", "image_data_format": "channels_first"}',
        '{"floatx": "float16", "epsilon": 1e-6}',
        "{",  # Keras passes over it, too
        "{}",
    ],
)
def test_what_keras_on_tensorflow_takes_is_fine(before_keras, content):
    before_keras(content)
    check_keras_config()


@pytest.mark.parametrize("call", ["check", "fine_tune", "build_model"])
def test_another_backend_is_said_before_keras_is_imported(
    before_keras, tmp_path, monkeypatch, call
):
    calls = {
        "check": check_keras_config,
        "fine_tune": lambda: thaw.fine_tune(epochs=1),
        "build_model": lambda: thaw.build_model,
    }
    before_keras(json.dumps({"backend": "jax"}))
    with pytest.raises(UserError, match="backend jax .*keras.json.*Set KERAS_"):
        calls[call]()
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with pytest.raises(UserError, match=r"backend torch \(KERAS_BACKEND\)"):
        calls[call]()
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    check_keras_config()


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        '{"floatx": "bfloat16"}',
        '{"epsilon": 1}',
        '{"image_data_format": "first"}',
    ],
)
def test_what_keras_stumbles_over_is_said(before_keras, content):
    before_keras(content)
    with pytest.raises(UserError, match="can't read its config.*keras.json"):
        check_keras_config()


def test_on_the_command_line_it_is_one_line(
    before_keras, monkeypatch, run_script
):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    for script in ("train.py", "predict.py", "evaluate.py", "export.py"):
        done = run_script(script)
        assert done.returncode == 2
        assert done.stderr == (
            f"{script}: Thaw needs Keras on TensorFlow. Received: the backend "
            "torch (KERAS_BACKEND). Set KERAS_BACKEND=tensorflow before Keras "
            "is imported.\n"
        )


@pytest.mark.parametrize("resize", ["squash", "center"])
def test_channels_first_in_keras_json_changes_nothing(resize):
    def build():
        return build_model(
            "vgg16_tiny", weights="none", resize=resize, pooling="max"
        )

    expected = build().to_json()
    with channels_first():
        assert build().to_json() == expected


def test_neither_does_it_change_what_is_mixed():
    images = np.random.default_rng(0).uniform(0, 255, (4, 24, 24, 3))
    images, labels = images.astype("float32"), np.arange(4)

    def mix(**kinds):
        return augment.Mixes(3, 4, **kinds)(images, labels, 0, 0)

    for kind in ("randaugment", "mixup", "cutmix"):
        expected = mix(**{kind: True})
        with channels_first():
            for got, wanted in zip(mix(**{kind: True}), expected, strict=True):
                np.testing.assert_array_equal(got, wanted)
