import keras
import numpy as np
import pytest

from model_zoo import build_model
from model_zoo.unfreeze import base_layers, first_trained_layer, unfreeze
from thaw.errors import UserError


@pytest.fixture(scope="module")
def tiny():
    return build_model("vgg16_tiny", weights="none")


@pytest.fixture(scope="module")
def mobilenet():
    return build_model("mobilenetv2", weights="none", image_size=64)


def layers_of(paths):
    return sorted({path.split("/")[0] for path in paths})


def test_the_named_layer_and_all_after_it_train(tiny):
    assert layers_of(unfreeze(tiny, "block4_conv3")) == [
        "block4_conv3",
        "block5_conv1",
        "block5_conv2",
        "block5_conv3",
        "head_hidden",
        "head_output",
    ]


def test_none_trains_the_head_and_all_trains_everything(tiny):
    assert layers_of(unfreeze(tiny, "none")) == ["head_hidden", "head_output"]
    assert len(unfreeze(tiny, "all")) == len(tiny.weights) == 30


def test_a_layer_without_weights_may_be_named(tiny):
    assert unfreeze(tiny, "block4_pool") == unfreeze(tiny, "block5_conv1")


def test_batch_normalization_stays_frozen_unless_asked(mobilenet):
    paths = unfreeze(mobilenet, "block_13_expand")
    assert "block_13_expand/kernel" in paths
    assert not [path for path in paths if "bn" in path.lower()]
    paths = unfreeze(mobilenet, "block_13_expand", train_batch_norm=True)
    assert "block_13_expand_BN/gamma" in paths
    assert "block_12_expand_BN/gamma" not in paths


def compile_and_fit(model, images):
    # The graph of one step takes longer than the step.
    model.compile("sgd", "binary_crossentropy", run_eagerly=True)
    model.fit(images, np.zeros(4), verbose=0)


def test_frozen_statistics_do_not_move_in_training(mobilenet, images):
    unfreeze(mobilenet, "block_15_expand")
    norm = mobilenet.get_layer("block_16_project_BN")
    before = norm.moving_mean.numpy().copy()
    compile_and_fit(mobilenet, images)
    np.testing.assert_array_equal(norm.moving_mean, before)
    unfreeze(mobilenet, "block_15_expand", train_batch_norm=True)
    compile_and_fit(mobilenet, images)
    assert not np.array_equal(norm.moving_mean, before)


def test_layers_inside_a_nested_model_are_reached(tmp_path):
    inner = keras.Sequential(
        [
            keras.layers.Conv2D(4, 3, name="inner_conv"),
            keras.layers.BatchNormalization(name="inner_norm"),
        ],
        name="stem",
    )
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, name="conv")(inner(image))
    base = keras.Model(image, x)
    inner.trainable = False
    base.save(tmp_path / "nested.keras")
    model = build_model(
        str(tmp_path / "nested.keras"),
        preprocess="none",
        image_size=32,
        unfreeze_from="conv",
    )
    for unfreeze_from, count in [("stem", 2 + 2 + 4), ("conv", 2 + 4)]:
        assert len(unfreeze(model, unfreeze_from)) == count
    assert len(unfreeze(model, "all", train_batch_norm=True)) == 10


def test_wrong_names_give_the_three_nearest(tiny):
    with pytest.raises(UserError) as error:
        unfreeze(tiny, "block5_conv4")
    for near in ("block5_conv1", "block5_conv2", "block5_conv3"):
        assert near in str(error.value)
    # Neither the head nor what is before the base is a place to start.
    for name in ("head_hidden", "resize", "image"):
        with pytest.raises(UserError, match="no layer"):
            first_trained_layer(tiny, name)


def test_the_base_is_what_keras_applications_builds(tiny):
    vgg16 = keras.applications.VGG16(include_top=False, weights=None)
    assert [layer.name for layer in base_layers(tiny)] == [
        layer.name for layer in vgg16.layers[1:]
    ]
