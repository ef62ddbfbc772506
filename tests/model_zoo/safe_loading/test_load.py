import json
import os
import subprocess
import sys

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format

from model_zoo import build_model
from model_zoo.backbones import BACKBONES
from model_zoo.safe_loading import allowlist
from model_zoo.safe_loading.load import build_without_memory, load_model
from model_zoo.weights import load_weights_file
from tests.support import (
    hostile_archives,
    hostile_classes,
    hostile_files,
    hostile_hdf5,
    hostile_kinds,
    hostile_sizes,
)
from tests.support.paths import ROOT
from thaw.errors import UserError

# They fill the two lists.
_MADE_BY = (
    hostile_archives,
    hostile_classes,
    hostile_hdf5,
    hostile_kinds,
    hostile_sizes,
)


def open_model(path):
    """As train.py does with --backbone."""
    build_model(
        str(path), image_size=32, preprocess="none", unfreeze_from="all"
    )


def open_weights(path):
    base = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, name="conv")]
    )
    load_weights_file(base, path)


def check_refused(function, make, message, folder):
    path = make(folder)
    with pytest.raises(UserError, match=message) as raised:
        function(path)
    text = str(raised.value)
    assert "\n" not in text and text.isprintable()
    assert len(text.replace(str(path), "")) < 600
    assert not (folder / hostile_files.CANARY).exists()


@pytest.mark.parametrize("name", hostile_files.MODELS)
def test_hostile_models_are_refused(name, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)  # where a module of theirs lies
    make, message = hostile_files.MODELS[name]
    check_refused(open_model, make, message, tmp_path)


@pytest.mark.parametrize("name", hostile_files.WEIGHTS)
def test_hostile_weights_are_refused(name, tmp_path):
    make, message = hostile_files.WEIGHTS[name]
    check_refused(open_weights, make, message, tmp_path)


def test_the_innocent_file_opens(tmp_path):
    path = hostile_files.written(tmp_path, hostile_files.members())
    assert load_model(path).count_params() == 112
    (tmp_path / "link.keras").symlink_to(path)
    assert load_model(tmp_path / "link.keras").count_params() == 112
    open_model(path)
    (tmp_path / "w.weights.h5").write_bytes(
        hostile_files.members()["model.weights.h5"]
    )
    open_weights(tmp_path / "w.weights.h5")


# Opens an innocent model, then what is on its standard input; prints by how
# many megabytes the memory that it took at most grew in between.
_MEASURE = """
import resource, sys
from thaw.errors import UserError
from tests.model_zoo.safe_loading.test_load import open_model, open_weights

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

open_model(sys.argv[1])
before = peak()
for line in sys.stdin:
    path = line.strip()
    try:
        (open_model if path.endswith(".keras") else open_weights)(path)
    except UserError:
        continue
    sys.exit(f"{path} was opened")
print(peak() - before)
"""


def test_bombs_take_no_memory(tmp_path):
    innocent = hostile_files.written(tmp_path, hostile_files.members())
    paths = []
    for name in sorted(hostile_files.BOMBS):
        for kind in (hostile_files.MODELS, hostile_files.WEIGHTS):
            if name in kind:
                (tmp_path / name).mkdir()
                paths.append(kind[name][0](tmp_path / name))
    assert len(paths) >= 15
    process = subprocess.run(
        [sys.executable, "-c", _MEASURE, innocent],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        input="\n".join(map(str, paths)),
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    assert int(process.stdout) < 100


@pytest.mark.parametrize(
    "name",
    [  # one of each family: those that are deeper are made of the same
        *("vgg16", "resnet50", "resnet50v2", "densenet121", "inceptionv3"),
        *("inceptionresnetv2", "xception", "mobilenet", "mobilenetv2"),
        *("mobilenetv3small", "nasnetmobile", "efficientnetb0"),
        *("efficientnetv2b0", "efficientnetv2s", "convnexttiny"),
    ],
)
def test_every_family_of_backbones_is_allowed(name):
    constructor = getattr(keras.applications, BACKBONES[name].constructor)
    model = build_without_memory(lambda: constructor(weights=None))
    config = keras.saving.serialize_keras_object(model)
    num_layers = allowlist.check_config(json.loads(json.dumps(config)), name)
    assert num_layers >= len(model.layers)


@pytest.mark.parametrize("preprocess", ["caffe", "torch", "mnist"])
@pytest.mark.parametrize("resize", ["squash", "center"])
def test_what_we_save_opens(tmp_path, images, preprocess, resize):
    model = build_model(
        "vgg16_tiny" if preprocess != "mnist" else "simple_cnn",
        num_classes=3,
        weights="none",
        preprocess="auto" if preprocess == "mnist" else preprocess,
        resize=resize,
        image_size=32,
    )
    model.save(tmp_path / "model.keras")  # compiled
    opened = load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(opened(images), model(images))


def test_what_others_may_have_in_a_base_opens(tmp_path):
    image = keras.Input((None, None, 3))
    x = image[..., ::-1]
    x = keras.layers.Conv2D(
        8,
        3,
        kernel_regularizer="l2",
        kernel_constraint="max_norm",
        activation=keras.activations.swish,
        dtype="mixed_bfloat16",
    )(x)
    inner = keras.Sequential(
        [keras.Input((None, None, 8)), keras.layers.DepthwiseConv2D(3)]
    )
    x = keras.ops.relu6(inner(x) * 2 + 1)
    shared = keras.layers.Conv2D(8, 1)
    x = keras.layers.Add()([shared(x), shared(shared(x))])
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, keras.layers.Dense(4)(x))
    model.quantize("int8")
    model.compile("adam", "mse", metrics=["mae"])
    model.save(tmp_path / "base.keras")
    opened = load_model(tmp_path / "base.keras")
    photo = np.random.default_rng(0).uniform(0, 255, (1, 32, 32, 3))
    np.testing.assert_allclose(opened(photo), model(photo), rtol=1e-3)


def test_files_of_keras_applications_load_as_weights(tmp_path):
    base = keras.applications.MobileNet(
        include_top=False, weights=None, alpha=0.25, input_shape=(32, 32, 3)
    )
    path = tmp_path / "notop.h5"
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, base)
    other = keras.models.clone_model(base)
    load_weights_file(other, path)
    for ours, theirs in zip(other.weights, base.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_everything_allowed_is_keras_own():
    pairs = allowlist._ALLOWED_LAYERS | allowlist._ALLOWED_VALUES
    for module, name in sorted(pairs):
        found = keras.saving.get_registered_object(f"{module}.{name}")
        assert found is None
        owner = keras
        if module.startswith("keras.src"):
            owner = __import__(module, fromlist=[name])
        elif module != "keras":
            owner = getattr(keras, module.removeprefix("keras."))
        assert getattr(owner, name).__module__.startswith("keras.src"), name
    for name in allowlist._FUNCTIONS.split():
        assert callable(getattr(keras.activations, name))
