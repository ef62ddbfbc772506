import json
import os
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest

from errors import UserError
from model_zoo import build_model
from model_zoo.vgg16_tiny import VGG16Tiny
from tests.conftest import ROOT

BLOCK5_AND_HEAD = [
    "block5_conv1/kernel",
    "block5_conv1/bias",
    "block5_conv2/kernel",
    "block5_conv2/bias",
    "block5_conv3/kernel",
    "block5_conv3/bias",
    "head_hidden/kernel",
    "head_hidden/bias",
    "head_output/kernel",
    "head_output/bias",
]


def count(variables):
    return sum(int(np.prod(variable.shape)) for variable in variables)


@pytest.fixture(scope="module")
def tiny():
    return build_model("vgg16_tiny", weights="auto")


def test_the_classic_model_has_the_classic_parameters():
    model = build_model(weights="none")
    assert model.count_params() == 16_812_353
    assert count(model.trainable_variables) == 9_177_089
    assert [v.path for v in model.trainable_variables] == BLOCK5_AND_HEAD
    assert model.get_layer("resize").height == 150
    assert model.get_layer("head_flatten").output.shape == (None, 8192)
    assert model.loss == "binary_crossentropy"
    assert (
        model.get_layer("head_output").activation is keras.activations.sigmoid
    )
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-5)


def test_more_classes_get_softmax(tiny):
    model = build_model("vgg16_tiny", 5, weights="none")
    assert model.output.shape == (None, 5)
    assert (
        model.get_layer("head_output").activation is keras.activations.softmax
    )
    assert model.loss == "sparse_categorical_crossentropy"


def test_the_model_is_flat_and_takes_any_size_and_integers(tiny, images):
    assert not any(isinstance(layer, keras.Model) for layer in tiny.layers)
    assert tiny.input.shape == (None, None, None, 3)
    whole = np.round(images)
    np.testing.assert_array_equal(tiny(whole), tiny(whole.astype("uint8")))
    assert tiny(images[:, :50]).shape == (4, 1)


def test_a_saved_model_needs_no_code_of_ours(tiny, images, tmp_path):
    keras.Model(tiny.input, tiny.output).save(tmp_path / "model.keras")
    np.save(tmp_path / "images.npy", images)
    script = (
        "import sys, keras, numpy as np\n"
        "model = keras.saving.load_model('model.keras')\n"
        "np.save('out.npy', model.predict_on_batch(np.load('images.npy')))\n"
        "assert not {'model_zoo', 'train'} & set(sys.modules)\n"
    )
    subprocess.run(
        [sys.executable, "-W", "error", "-c", script], cwd=tmp_path, check=True
    )
    np.testing.assert_allclose(
        np.load(tmp_path / "out.npy"), tiny.predict_on_batch(images), atol=1e-6
    )
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        config = json.loads(archive.read("config.json"))
    modules = {layer["module"] for layer in config["config"]["layers"]}
    assert modules <= {
        "keras.layers",
        "keras.src.ops.numpy",
        "keras.ops",
    }, modules


@pytest.mark.parametrize("mode", ["caffe", "torch", "tf", "rescale", "none"])
def test_preprocessing_equals_that_of_keras_applications(mode, images):
    model = build_model("vgg16_tiny", weights="none", preprocess=mode)
    first = model.get_layer("block1_conv1")
    seen = keras.Model(model.input, first.input)(images)
    resized = np.array(keras.layers.Resizing(150, 150)(images))
    if mode in ("caffe", "torch", "tf"):
        expected = keras.src.applications.imagenet_utils.preprocess_input(
            resized, data_format="channels_last", mode=mode
        )
    else:
        expected = resized / 255 if mode == "rescale" else resized
    np.testing.assert_allclose(seen, expected, atol=1e-4)


@pytest.mark.parametrize("resize", ["squash", "crop", "pad"])
def test_resizing_happens_once(resize, images):
    """A photo that was resized before gives the same as a raw one."""
    model = build_model("vgg16_tiny", weights="auto", resize=resize)
    resized = model.get_layer("resize")(images)
    np.testing.assert_array_equal(model(resized), model(images))


@pytest.mark.parametrize(
    ("pooling", "shape"),
    [("auto", 1024), ("flatten", 1024), ("avg", 64), ("max", 64)],
)
def test_pooling(pooling, shape):
    model = build_model("vgg16_tiny", weights="none", pooling=pooling)
    assert model.get_layer("head_hidden").input.shape == (None, shape)


def test_other_backbones_average_by_default():
    model = build_model("mobilenetv2", weights="none", image_size=64)
    assert isinstance(
        model.get_layer("head_avg"), keras.layers.GlobalAveragePooling2D
    )


def test_the_head_can_be_linear():
    model = build_model(
        "vgg16_tiny", weights="none", hidden_units=0, dropout=0.0
    )
    heads = [x.name for x in model.layers if x.name.startswith("head_")]
    assert heads == ["head_flatten", "head_output"]


def test_cut_at_ends_the_base_there():
    model = build_model(
        "vgg16_tiny",
        weights="none",
        cut_at="block4_pool",
        unfreeze_from="block4_conv1",
    )
    assert model.get_layer("head_flatten").input.shape == (None, 9, 9, 64)
    assert "block5_conv1" not in [layer.name for layer in model.layers]


def test_cut_at_fc2_keeps_the_classifier_up_to_there():
    model = build_model(weights="none", cut_at="fc2", unfreeze_from="none")
    assert model.get_layer("resize").height == 224
    assert model.get_layer("head_hidden").input.shape == (None, 4096)
    assert model.get_layer("fc1").count_params() == 102_764_544
    assert [v.path for v in model.trainable_variables] == BLOCK5_AND_HEAD[6:]


def test_cut_at_the_average_inside_a_classifier():
    model = build_model(
        "resnet50",
        weights="none",
        image_size=64,
        hidden_units=0,
        cut_at="avg_pool",
        unfreeze_from="none",
    )
    assert model.get_layer("head_output").input.shape == (None, 2048)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"unfreeze_from": "blok5_conv1"}, "Did you mean block5_conv1"),
        ({"cut_at": "block5_pol"}, "Did you mean block5_pool"),
        ({"num_classes": 1}, "num_classes must be at least 2"),
        ({"dropout": 1.0}, "dropout must be in"),
        ({"hidden_units": -1}, "hidden_units must be at least 0"),
        ({"pooling": "mean"}, "pooling must be one of"),
        ({"resize": "stretch"}, "resize must be one of"),
        ({"image_size": 31}, "too small"),
    ],
)
def test_wrong_arguments_are_value_errors_with_a_way_out(arguments, message):
    with pytest.raises(ValueError, match=message):
        build_model("vgg16_tiny", **{"weights": "none", **arguments})


def test_train_offers_build_model_without_importing_keras():
    script = (
        "import sys, train\n"
        "assert 'keras' not in sys.modules\n"
        "from train import build_model\n"
        "assert build_model.__module__ == 'model_zoo.build'\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


# Weights files


def test_a_weights_file_of_the_bare_base_fits(tmp_path, images):
    base = VGG16Tiny()
    expected = build_model("vgg16_tiny", weights="none")
    for layer in base.layers[1:]:
        layer.set_weights(expected.get_layer(layer.name).get_weights())
    base.save_weights(tmp_path / "base.weights.h5")
    model = build_model("vgg16_tiny", weights=str(tmp_path / "base.weights.h5"))
    for layer in base.layers[1:]:
        for ours, theirs in zip(
            model.get_layer(layer.name).get_weights(),
            layer.get_weights(),
            strict=True,
        ):
            np.testing.assert_array_equal(ours, theirs)


def test_efficientnet_sees_the_right_colours_with_a_weights_file(
    tmp_path, images
):
    base = keras.applications.EfficientNetB0(include_top=False, weights=None)
    norm = next(x for x in base.layers if x.name.startswith("normalization"))
    # What Keras's ImageNet file holds: deviations in the place of variances.
    mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    norm.set_weights([np.array(mean), np.array(deviation), np.array(0)])
    base.save_weights(tmp_path / "b0.weights.h5")
    model = build_model(
        "efficientnetb0",
        weights=str(tmp_path / "b0.weights.h5"),
        image_size=64,
    )
    norm = next(x for x in model.layers if x.name.startswith("normalization"))
    seen = keras.Model(model.input, norm.output)(images)
    resized = np.array(keras.layers.Resizing(64, 64)(images))
    np.testing.assert_allclose(
        seen, (resized / 255 - mean) / deviation, atol=1e-4
    )


def test_weights_that_do_not_fit_or_cannot_be_read(tmp_path):
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    other.save_weights(tmp_path / "other.weights.h5")
    (tmp_path / "broken.h5").write_bytes(b"not HDF5")
    (tmp_path / "model.txt").write_bytes(b"text")
    for name, message in [
        ("other.weights.h5", "do not fit vgg16_tiny"),
        ("broken.h5", "Cannot read the weights file"),
        ("model.txt", "not a weights file"),
    ]:
        with pytest.raises(UserError, match=message):
            build_model("vgg16_tiny", weights=str(tmp_path / name))


def test_imagenet_weights_that_cannot_be_had_are_never_replaced(tmp_path):
    script = "from model_zoo import build_model\nbuild_model('mobilenet')\n"
    process = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={
            **os.environ,
            "KERAS_HOME": str(tmp_path),  # an empty cache
            "https_proxy": "http://127.0.0.1:9",  # and no network
        },
        capture_output=True,
        text=True,
    )
    assert process.returncode != 0
    message = process.stderr.splitlines()[-1]
    for way_out in ("connect", "--weights=FILE", "--weights=none"):
        assert way_out in message


# Backbone files


@pytest.fixture(scope="module")
def base_file(tmp_path_factory):
    """A small base as a .keras file of open size, with flip inside."""
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, strides=2, name="conv_a")(
        keras.ops.flip(image, axis=1)
    )
    x = keras.layers.BatchNormalization(name="norm_a")(x)
    x = keras.layers.Conv2D(8, 3, strides=2, name="conv_b")(x)
    path = tmp_path_factory.mktemp("base") / "small.keras"
    keras.Model(image, x, name="small").save(path)
    return path


def build_from(path, **arguments):
    defaults = {
        "preprocess": "rescale",
        "unfreeze_from": "conv_b",
        "image_size": 40,
    }
    return build_model(str(path), **{**defaults, **arguments})


def test_a_backbone_file_brings_its_weights(base_file, images):
    model = build_from(base_file)
    base = keras.saving.load_model(base_file)
    resized = np.array(keras.layers.Resizing(40, 40)(images)) / 255
    features = keras.Model(model.input, model.get_layer("conv_b").output)
    np.testing.assert_allclose(features(images), base(resized), atol=1e-5)
    assert [v.path for v in model.trainable_variables][:2] == [
        "conv_b/kernel",
        "conv_b/bias",
    ]
    random = build_from(base_file, weights="none")
    assert not np.array_equal(
        random.get_layer("conv_b").get_weights()[0],
        base.get_layer("conv_b").get_weights()[0],
    )


def test_a_sequential_file_of_fixed_size_needs_no_image_size(tmp_path, images):
    base = keras.Sequential(
        [keras.Input((48, 48, 3)), keras.layers.Conv2D(4, 3, name="conv")]
    )
    base.save(tmp_path / "fixed.keras")
    model = build_from(
        tmp_path / "fixed.keras", image_size=None, unfreeze_from="conv"
    )
    assert model(images).shape == (4, 1)
    with pytest.raises(UserError, match="takes images of 48x48"):
        build_from(tmp_path / "fixed.keras", unfreeze_from="conv")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"preprocess": "auto"}, "Give also --preprocess"),
        ({"unfreeze_from": None}, "Give also --unfreeze_from"),
        ({"image_size": None}, "Give --image_size"),
        ({"image_size": 4}, "is image_size too small"),
        ({"unfreeze_from": "conv_c"}, "Did you mean conv_b"),
    ],
)
def test_what_a_backbone_file_leaves_open_must_be_given(
    base_file, arguments, message
):
    with pytest.raises(UserError, match=message):
        build_from(base_file, **arguments)


def test_files_that_are_no_backbone_are_refused(tmp_path):
    (tmp_path / "text.keras").write_bytes(b"text")
    with pytest.raises(UserError, match="Cannot open"):
        build_from(tmp_path / "text.keras")
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(
        tmp_path / "dense.keras"
    )
    with pytest.raises(UserError, match="not a functional model"):
        build_from(tmp_path / "dense.keras")


def test_the_shared_backbones_give_their_own_features(shared, images):
    for name, mode, layer in [
        ("squeezenet", "caffe", "fire9_concat"),
        ("mobilenet_to_conv_pw_12", "tf", "conv_pw_12_relu"),
    ]:
        path = shared / "backbones" / f"{name}.keras"
        model = build_model(
            str(path), preprocess=mode, image_size=64, unfreeze_from="none"
        )
        base = keras.saving.load_model(path)
        expected = base(
            keras.src.applications.imagenet_utils.preprocess_input(
                np.array(keras.layers.Resizing(64, 64)(images)),
                data_format="channels_last",
                mode=mode,
            )
        )
        features = keras.Model(model.input, model.get_layer(layer).output)
        np.testing.assert_allclose(features(images), expected, atol=1e-4)
