import json
import zipfile

import keras
import numpy as np
import pytest

from model_zoo import build_model
from model_zoo.preprocessing import resize_images

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


@pytest.mark.parametrize("resize", ["squash", "center"])
def test_called_without_a_word_on_training_it_predicts(images, resize):
    # Resizing's own default would put BatchNormalization into training.
    image = keras.Input((None, None, 3))
    x = resize_images(image, 8, resize)
    norm = keras.layers.BatchNormalization()
    model = keras.Model(image, norm(x))
    config = model.get_config()
    for called in (model, keras.Model.from_config(config)):
        before = called.layers[-1].get_weights()
        predicted = called(images).numpy()
        np.testing.assert_array_equal(predicted, called(images, training=False))
        np.testing.assert_array_equal(called.layers[-1].get_weights(), before)
        assert np.abs(predicted - called(images, training=True)).max() > 1


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


def test_a_saved_model_needs_no_code_of_ours(tiny, tmp_path):
    """A process without it opens one in tests/runs/test_verify.py."""
    keras.Model(tiny.input, tiny.output).save(tmp_path / "model.keras")
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
    model = build_model(
        "mobilenet",
        weights="none",
        image_size=64,
        cut_at="conv_preds",
        unfreeze_from="none",
    )
    assert model.get_layer("head_avg").input.shape == (None, 1, 1, 1000)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"unfreeze_from": "blok5_conv1"}, "Did you mean block5_conv1"),
        ({"cut_at": "block5_pol"}, "Did you mean block5_pool"),
        ({"num_classes": 1}, "`num_classes` must be at least 2"),
        ({"dropout": 1.0}, "`dropout` must be in"),
        ({"hidden_units": -1}, "`hidden_units` must be at least 0"),
        ({"pooling": "mean"}, "`pooling` must be one of"),
        ({"resize": "stretch"}, "`resize` must be one of"),
        ({"image_size": 31}, "too small"),
        ({"preprocess": "bgr"}, "`preprocess` must be auto or one of caffe"),
        ({"cut_at": "avg_pool"}, "no layer 'avg_pool' to cut at"),
        (
            {"cut_at": "block4_pool"},
            "before its last block. Give",
        ),
    ],
)
def test_wrong_arguments_are_value_errors_with_a_way_out(arguments, message):
    with pytest.raises(ValueError, match=message):
        build_model("vgg16_tiny", **{"weights": "none", **arguments})
