import keras
import numpy as np

from model_zoo import build_model
from thaw.inference.outputs import OutputsModel, pool


def test_flattened_maps_are_averaged_over_places():
    model = build_model("vgg16_tiny", image_size=64, weights="none")
    maps = np.random.default_rng(0).normal(size=(3, 2, 2, 64))
    np.testing.assert_allclose(
        pool(model, maps.reshape(3, -1)), maps.mean(axis=(1, 2)), atol=1e-6
    )


def test_one_unit_is_two_columns_and_tiny_probabilities_stay():
    inputs = keras.Input((1,), name="resize")
    head = keras.layers.Dense(1, "sigmoid", name="head_predictions")
    model = keras.Model(inputs, head(inputs))
    model.layers[-1].set_weights([np.ones((1, 1)), np.zeros(1)])
    found = OutputsModel(model, [inputs])([np.array([[0], [30]], "float32")])
    np.testing.assert_allclose(
        found.probabilities, [[0.5, 0.5], [np.exp(-30), 1]], rtol=1e-6
    )
    np.testing.assert_array_equal(found.logits, [[0, 0], [0, 30]])
