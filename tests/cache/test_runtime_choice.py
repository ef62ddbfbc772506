import json
import sys

import numpy as np
import pytest

from model_zoo import build_model
from model_zoo.boundary import split
from thaw.cache import runtime_choice, runtime_trial
from thaw.cache.frozen_part import FrozenLayers
from thaw.cache.runtime import DEFAULT_RUNTIME, Runtime
from thaw.cache.runtime_choice import RuntimeChoice
from thaw.cache.runtime_trial import Trial, try_runtime
from thaw.data.load import load_photos
from thaw.data.views import PhotoViews

SIZE = 32
MANY = 10**9  # photos: a trial is short beside that
BFLOAT16 = Runtime("openvino", "bfloat16")
OPENVINO = Runtime("openvino", "float32")


@pytest.fixture(scope="module")
def model():
    return build_model("vgg16_tiny", weights="auto", image_size=SIZE)


@pytest.fixture
def choose(model, drawn_photos, tmp_path, monkeypatch):
    """Function of (options, trials by runtime) that returns what is chosen.

    How fast a machine is must not decide a test: trials are given.
    """
    monkeypatch.setattr(runtime_choice, "_LEAST_PHOTOS", 40)
    monkeypatch.setattr(runtime_choice, "_can_gain", lambda runtime: True)
    photos, _ = load_photos(drawn_photos)
    views = PhotoViews(photos, model.get_layer("resize"), SIZE, seed=0)
    frozen, _ = split(model, model.get_layer("block5_conv1"))

    def choose(name, precision, trials, num_photos=MANY, tried=None):
        def trial_of(layers, boundary, runtime, batches, labels):
            assert len(labels) == sum(map(len, batches)) in (40, 48)
            if tried is not None:
                tried.append(runtime)
            return trials[runtime]

        monkeypatch.setattr(runtime_choice, "try_runtime", trial_of)
        layers = FrozenLayers(model, batch_size=20)
        choice = RuntimeChoice(layers, frozen, views, tmp_path)
        return choice.choose(name, precision, num_photos)

    return choose


def test_the_fastest_with_good_features_is_taken(choose, capsys):
    trials = {BFLOAT16: Trial(1.0, 2.0), OPENVINO: Trial(1.5, 2.0)}
    assert choose("auto", "auto", trials) == BFLOAT16
    assert "OpenVINO, bfloat16; 1.0 ms a photo, Tens" in capsys.readouterr().out


def test_bad_features_are_not_taken_and_said(choose, capsys):
    trials = {
        BFLOAT16: Trial(1.0, 2.0, "its features differ by 0.5 RMS"),
        OPENVINO: Trial(1.5, 2.0),
    }
    assert choose("auto", "auto", trials) == OPENVINO
    error = capsys.readouterr().err
    assert error.startswith(
        "Frozen part: OpenVINO, bfloat16, isn't used: its features differ by"
    )


@pytest.mark.parametrize(
    ("name", "precision", "expected"),
    [
        ("auto", "auto", DEFAULT_RUNTIME),  # 1.1 times as fast is not enough
        ("auto", "float32", DEFAULT_RUNTIME),
        ("openvino", "auto", OPENVINO),  # asked for
        ("openvino", "float32", OPENVINO),
        ("tensorflow", "float32", DEFAULT_RUNTIME),
    ],
)
def test_what_gains_little_is_taken_only_if_asked_for(
    choose, name, precision, expected
):
    little = Trial(1.0, 1.1)
    trials = {BFLOAT16: little, OPENVINO: little}
    trials[Runtime("tensorflow", "bfloat16")] = little
    assert choose(name, precision, trials) == expected


def test_a_loss_is_said_with_both_times(choose, capsys):
    runtime = Runtime("tensorflow", "bfloat16")
    assert choose("tensorflow", "bfloat16", {runtime: Trial(3.0, 2.0)}) == (
        runtime
    )
    assert "is slower: 3.0 ms a photo, TensorFlow in float32 2.0 ms" in (
        capsys.readouterr().err
    )


def test_a_trial_is_made_once_and_in_no_short_run(choose):
    tried = []
    trials = {BFLOAT16: Trial(1.0, 2.0)}
    assert choose("auto", "auto", trials, 1, tried) == DEFAULT_RUNTIME
    assert tried == []
    for _ in range(2):
        assert choose("auto", "auto", trials, MANY, tried) == BFLOAT16
        assert tried == [BFLOAT16]


def test_a_damaged_file_of_trials_is_measured_again(choose, tmp_path):
    trials = {BFLOAT16: Trial(1.0, 2.0)}
    path = tmp_path / "runtimes.json"
    choose("auto", "auto", trials)
    (known,) = json.loads(path.read_text()).values()
    assert known == {"milliseconds": 1.0, "of_tensorflow": 2.0, "problem": None}
    path.write_text("{")
    tried = []
    assert choose("auto", "auto", trials, tried=tried) == BFLOAT16
    assert tried == [BFLOAT16]


def test_without_openvino_tensorflow_is_tried(choose, monkeypatch, capsys):
    monkeypatch.setattr(runtime_choice, "find_spec", lambda name: None)
    runtime = Runtime("tensorflow", "bfloat16")
    trials = {runtime: Trial(1.0, 2.0)}
    assert choose("auto", "auto", trials) == runtime
    assert capsys.readouterr().err == ""
    assert choose("openvino", "float32", {}) == DEFAULT_RUNTIME
    assert "OpenVINO isn't installed (pip install -e '.[fast]')" in (
        capsys.readouterr().err
    )


def test_an_openvino_that_broke_since_its_trial_is_said(
    choose, monkeypatch, capsys
):
    assert choose("auto", "auto", {BFLOAT16: Trial(1.0, 2.0)}) == BFLOAT16
    monkeypatch.setitem(sys.modules, "thaw.cache.openvino_runtime", None)
    assert choose("openvino", "bfloat16", {}) == DEFAULT_RUNTIME
    assert (
        "OpenVINO, bfloat16, isn't used: it can't be opened ("
        in capsys.readouterr().err
    )


def test_a_broken_openvino_is_said_and_not_used(choose, monkeypatch, capsys):
    class Broken(dict):
        def __missing__(self, runtime):
            raise RuntimeError("no CPU plugin\nand more")

    assert choose("auto", "auto", Broken()) == DEFAULT_RUNTIME
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == (
        "Frozen part: OpenVINO, bfloat16, isn't used: it can't be opened (no "
        "CPU plugin)."
    )


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda x: x, None),
        (lambda x: x * 1.0005, None),
        (lambda x: x * 1.01, "its features differ by 0.01 of their RMS"),
        (lambda x: x * np.nan, "its features differ by nan of their RMS"),
    ],
)
def test_a_trial_compares_features(model, images, monkeypatch, change, problem):
    """Of a runtime whose features are changed."""
    original = runtime_trial.FrozenPart

    class Changed(original):
        def __call__(self, images):
            tensors = super().__call__(images)
            if self._runtime == DEFAULT_RUNTIME:
                return tensors
            return tuple(map(change, tensors))

    monkeypatch.setattr(runtime_trial, "FrozenPart", Changed)
    boundary = split(model, model.get_layer("block5_conv1"))[0].outputs
    images = images[:, :SIZE, :SIZE]
    trial = try_runtime(
        FrozenLayers(model, 4),
        boundary,
        OPENVINO,
        [images, images[::-1], images, images],
        np.arange(16) % 2,
    )
    assert trial.problem == problem
    assert trial.milliseconds > 0 and trial.of_tensorflow > 0
