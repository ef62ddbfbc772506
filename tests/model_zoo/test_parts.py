import keras
import numpy as np
import pytest

from model_zoo import build_model, layers_of_kind, take_layers
from model_zoo.preprocessing import resizing_of
from thaw.errors import UserError


@pytest.fixture(scope="module")
def model():
    return build_model("vgg16_tiny", weights="none", image_size=32)


def test_the_first_layers_are_a_model(model, images):
    first = take_layers(model, "block2_pool")
    assert first.layers[-1].name == "block2_pool"
    assert first.output.shape == (None, 8, 8, 16)
    assert first.get_layer("block1_conv1") is model.get_layer("block1_conv1")
    with pytest.raises(UserError, match="Did you mean block"):
        take_layers(model, "block2_poll")


def test_all_layers_of_a_kind(model):
    assert len(layers_of_kind(model, keras.layers.Conv2D)) == 13
    assert len(layers_of_kind(model, "MaxPooling2D")) == 5
    nested = keras.Sequential([keras.Input((32, 32, 3)), model])
    assert len(layers_of_kind(nested, "Conv2D")) == 13


def test_the_middle_as_imagenet_models_are_evaluated(images):
    """Resized to 256 / 224 of the size, of which the middle is taken."""
    model = build_model(
        "vgg16_tiny", weights="none", image_size=56, resize="center"
    )
    resized = keras.Model(model.input, model.get_layer("resize").output)
    expected = keras.layers.Resizing(64, 64, crop_to_aspect_ratio=True)(images)
    np.testing.assert_allclose(
        resized.predict(images, verbose=0), expected[:, 4:60, 4:60], atol=1e-4
    )
    np.testing.assert_allclose(
        resizing_of(model)(images[0]), expected[0, 4:60, 4:60], atol=1e-4
    )
