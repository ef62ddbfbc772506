import importlib
import json
import tomllib
import zipfile

import keras
import numpy as np
import pytest

from model_zoo import build_model
from tests.support.paths import ROOT
from thaw.data import decode
from thaw.exporting import saved_model
from thaw.exporting.classifier import (
    build_classifier,
    is_float32,
    keras_runner,
    labels_text,
)
from thaw.exporting.variants import PACKAGES, VARIANTS, Source

CLASS_NAMES = ["cat", "dög", "two\nlines"]
# Differences of probabilities from the model in float32.
LARGEST = {"litert_float16": 0.1, "litert_int8": 0.5}
CASES = [
    pytest.param(resize, variant, id=f"{resize}-{variant.name}")
    for resize in ("crop", "pad")
    for variant in VARIANTS
    if resize == "pad" or variant.name in ("saved_model", "onnx")
]


@pytest.fixture(scope="module")
def photos(drawn_photos):
    """Photos of three sizes, float32 (1, H, W, 3) in [0, 255]."""
    paths = sorted(map(str, drawn_photos.rglob("*.jpg")))[:3]
    drawn = [decode.load_photo(path).numpy()[None] for path in paths]
    return [drawn[0][:, :90], drawn[1][:, :, :90], drawn[2][:, :64, :64]]


@pytest.fixture(scope="module")
def source(request, photos, tmp_path_factory):
    """Caffe's preprocessing, which turns colours around, and three classes."""
    keras.utils.set_random_seed(0)
    model = build_model(
        "vgg16_tiny", 3, weights="auto", image_size=48,
        resize=request.param, unfreeze_from="block5_conv1",
    )  # fmt: skip
    classifier = build_classifier(model)
    path = tmp_path_factory.mktemp("source") / "saved_model"
    saved_model.save(classifier, path)
    return Source(classifier, path, CLASS_NAMES, lambda: iter(photos))


@pytest.mark.parametrize("source, variant", CASES, indirect=["source"])
def test_exports_answer_as_keras_does(source, photos, variant, tmp_path):
    module = importlib.import_module(f"thaw.exporting.{variant.format}")
    path = tmp_path / variant.path
    getattr(module, variant.write)(source, path)
    run = module.open_runner(path)
    expected = keras_runner(source.classifier)
    for photo in [*photos, *photos]:  # sizes that come back, too
        probabilities = run(photo)
        assert probabilities.shape == (1, 3)
        assert probabilities.dtype == "float32"
        np.testing.assert_allclose(
            probabilities, expected(photo), atol=LARGEST.get(variant.name, 1e-5)
        )
    batch = np.concatenate([photos[2]] * 3)
    np.testing.assert_allclose(
        run(batch), np.repeat(run(photos[2]), 3, axis=0), atol=1e-5
    )
    assert class_names_in(path, variant.format) == [
        "cat", "dög", "two\nlines" if variant.format in ("onnx", "openvino")
        else "two lines",
    ]  # fmt: skip


def class_names_in(path, name):
    """Returns the class names in an export, read with its own tools."""
    if name == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(path)
        metadata = session.get_modelmeta().custom_metadata_map
        return json.loads(metadata["class_names"])
    if name == "openvino":
        import openvino

        model = openvino.Core().read_model(path / "model.xml")
        names = model.get_rt_info(["model_info", "class_names"])
        return json.loads(names.astype(str))
    if name == "litert":
        with zipfile.ZipFile(path) as archive:
            return archive.read("labels.txt").decode().splitlines()
    text = (path / "assets.extra" / "labels.txt").read_text("utf-8")
    return text.splitlines()


@pytest.mark.parametrize("family", ["ViT", "DINOV3", "MobileNetV5"])
def test_a_preset_becomes_onnx(small_preset, photos, family, tmp_path):
    """Erfc, tensors that layers hold and compiled grouped convolutions."""
    from thaw.exporting import onnx

    model = build_model(
        f"hub:{small_preset(family)[0]}", 3, unfreeze_from="none"
    )
    source = Source(build_classifier(model), tmp_path, CLASS_NAMES, photos)
    onnx.write(source, tmp_path / "model.onnx")
    run = onnx.open_runner(tmp_path / "model.onnx")
    expected = keras_runner(source.classifier)
    for photo in photos:
        np.testing.assert_allclose(run(photo), expected(photo), atol=1e-5)


def test_a_sigmoid_becomes_two_columns(photos):
    model = build_model("vgg16_tiny", 2, weights="auto", image_size=48)
    second = model(photos[0], training=False).numpy()[0, 0]
    probabilities = keras_runner(build_classifier(model))(photos[0])
    np.testing.assert_allclose(probabilities, [[1 - second, second]], atol=1e-6)


def test_half_precision_is_written_in_float32(photos):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build_model("vgg16_tiny", 3, weights="auto", image_size=48)
    finally:
        keras.config.set_dtype_policy("float32")
    assert not is_float32(model)
    classifier = build_classifier(model)
    assert is_float32(classifier) and not is_float32(model)
    exact = build_model("vgg16_tiny", 3, weights="auto", image_size=48)
    exact.set_weights(model.get_weights())
    np.testing.assert_allclose(
        keras_runner(classifier)(photos[0]), exact(photos[0]), atol=1e-6
    )


def test_normalization_is_a_constant_of_the_graph(photos, tmp_path):
    # tf2onnx takes its tensors for inputs, and EfficientNet would not run.
    from thaw.exporting import onnx

    image = keras.Input((None, None, 3))
    x = keras.layers.Normalization(mean=[1, 2, 3], variance=[4, 5, 6])(image)
    x = keras.layers.GlobalAveragePooling2D()(x)
    classifier = build_classifier(
        keras.Model(image, keras.layers.Activation("softmax")(x))
    )
    source = Source(classifier, None, CLASS_NAMES, None)
    onnx.write(source, tmp_path / "model.onnx")
    np.testing.assert_allclose(
        onnx.open_runner(tmp_path / "model.onnx")(photos[0]),
        keras_runner(classifier)(photos[0]),
        atol=1e-6,
    )


def test_labels_are_one_a_line():
    assert labels_text(CLASS_NAMES) == "cat\ndög\ntwo lines\n"


def test_every_package_is_in_the_extra():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extra = project["optional-dependencies"]["export"]
    names = {package.split(">=")[0].replace("-", "_") for package in extra}
    for modules in PACKAGES.values():
        assert names.issuperset(modules)
