import keras
import numpy as np

from model_zoo import build_model
from thaw.inference.outputs import class_probabilities, pool


def test_flattened_maps_are_averaged_over_places():
    model = build_model("vgg16_tiny", image_size=64, weights="none")
    maps = np.random.default_rng(0).normal(size=(3, 2, 2, 64))
    np.testing.assert_allclose(
        pool(model, maps.reshape(3, -1)), maps.mean(axis=(1, 2)), atol=1e-6
    )


def test_one_unit_is_two_columns():
    columns = class_probabilities(np.array([[0.25], [1.0]]))
    np.testing.assert_array_equal(columns, [[0.75, 0.25], [0, 1]])
    three = np.eye(3)
    assert class_probabilities(three) is three
    assert class_probabilities(keras.Input((1,))).shape == (None, 2)
