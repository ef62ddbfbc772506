import keras
import numpy as np
import pytest

from model_zoo import build_model
from model_zoo.backbones import BACKBONES
from model_zoo.boundary import split
from model_zoo.unfreeze import base_layers
from tests.model_zoo.test_backbones import FAMILIES


def predict(model, images):
    """Predictions without a graph: of large models it takes seconds."""
    return model(images, training=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_frozen_then_trained_equals_the_whole(name, images):
    """At the last block, at the head, and at a random place."""
    model = build_model(name, weights="none", image_size=FAMILIES[name])
    expected = predict(model, images)
    assert expected.shape == (4, 1)
    layers = base_layers(model)
    last_block = model.get_layer(BACKBONES[name].last_block)
    # The last block: neither most of the base, nor just its very end.
    assert 0.5 < layers.index(last_block) / len(layers) < 0.98
    for layer in [
        last_block,
        model.layers[-1],
        layers[np.random.default_rng(len(layers)).integers(len(layers))],
    ]:
        frozen, trained = split(model, layer)
        got = predict(trained, predict(frozen, images))
        np.testing.assert_array_equal(got, expected, err_msg=layer.name)


def test_a_residual_block_has_several_boundary_tensors(images):
    model = build_model("resnet50", weights="none", image_size=64)
    for layer, shapes in [
        ("conv5_block1_1_conv", [(None, 4, 4, 1024)]),
        ("conv5_block1_2_conv", [(None, 2, 2, 512), (None, 4, 4, 1024)]),
    ]:
        frozen, _ = split(model, model.get_layer(layer))
        assert sorted(o.shape for o in frozen.outputs) == sorted(shapes)


def test_training_the_trained_part_changes_the_whole(images):
    model = build_model("vgg16_tiny", weights="auto")
    frozen, trained = split(model, model.get_layer("block5_conv1"))
    before = model.predict_on_batch(images)
    trained.compile(keras.optimizers.SGD(0.1), "binary_crossentropy")
    trained.fit(frozen.predict_on_batch(images), np.ones(4), verbose=0)
    after = model.predict_on_batch(images)
    assert not np.array_equal(before, after)
    np.testing.assert_array_equal(
        trained.predict_on_batch(frozen.predict_on_batch(images)), after
    )


def test_there_must_be_something_to_freeze():
    model = build_model("vgg16_tiny", weights="none")
    with pytest.raises(ValueError, match="Nothing comes before 'image'"):
        split(model, model.layers[0])
