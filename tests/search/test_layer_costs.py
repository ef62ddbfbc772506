import pytest

from model_zoo import build_model
from model_zoo.unfreeze import base_layers, unfreeze
from thaw.search.layer_costs import layer_costs


@pytest.fixture(scope="module")
def model():
    return build_model("vgg16_tiny", image_size=32, weights="none")


def test_parameters_and_features_are_those_of_a_run(model):
    _, costs, _ = layer_costs(model, batch_size=4, train_batch_norm=False)
    assert {layer.name for layer in base_layers(model)} <= costs.keys()
    for name in ("block1_conv1", "block4_conv2", "block5_pool"):
        unfreeze(model, name)
        trained = sum(x.size for x in map(_array, model.trainable_variables))
        assert costs[name][0] == f"{trained:,}"
    # The input of block 5 is 2 x 2 x 64, that of the second layer 32 x 32 x 8.
    assert costs["block5_conv1"][1] == "0.001"
    assert costs["block1_conv2"][1] == "0.016"


def test_seconds_grow_towards_the_input(model):
    header, costs, note = layer_costs(model, 4, train_batch_norm=False)
    assert header[2] == "s an epoch"
    of_layer = [float(costs[x.name][2]) for x in base_layers(model)]
    assert of_layer[0] > of_layer[-1] > 0
    assert "measured here from block5_conv1" in " ".join(note.split())


def _array(variable):
    return variable.numpy()
