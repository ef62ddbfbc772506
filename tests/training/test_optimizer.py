import keras
import numpy as np

from model_zoo import build_model
from model_zoo.layer_groups import layer_groups
from thaw.training.optimizer import group_rates, make_optimizer


def names(groups):
    return {
        name: sorted({v.path.split("/")[0] for v in variables})
        for name, variables in groups.items()
    }


def make_model(unfreeze_from):
    return build_model(
        "vgg16_tiny",
        weights="none",
        image_size=32,
        hidden_units=8,
        unfreeze_from=unfreeze_from,
    )


def test_groups_are_the_head_and_two_halves():
    head = ["head_hidden", "head_output"]
    assert names(layer_groups(make_model("none"))) == {"head": head}
    assert names(layer_groups(make_model("block5_conv3"))) == {
        "head": head,
        "upper": ["block5_conv3"],
    }
    assert names(layer_groups(make_model("block5_conv1"))) == {
        "head": head,
        "upper": ["block5_conv2", "block5_conv3"],
        "lower": ["block5_conv1"],
    }
    groups = names(layer_groups(make_model("all")))
    assert len(groups["lower"]) == 6 and len(groups["upper"]) == 7


def test_each_group_learns_at_its_own_rate():
    """With SGD, a group moves by its rates times its gradient."""
    model = make_model("block5_conv1")
    groups = layer_groups(model)
    rates = group_rates(np.array([0.5, 0.25]), list(groups), 0.1)
    assert list(rates) == ["head", "upper", "lower"]
    np.testing.assert_allclose(rates["lower"], [0.005, 0.0025])
    optimizer = make_optimizer(keras.optimizers.SGD, rates, groups)
    variables = model.trainable_variables
    before = {v.path: np.array(v) for v in variables}
    for _ in range(2):
        ones = [keras.ops.ones(v.shape) for v in variables]
        optimizer.apply(ones, variables)
    for name, rate in (("head", 0.75), ("upper", 0.075), ("lower", 0.0075)):
        for variable in groups[name]:
            moved = before[variable.path] - np.array(variable)
            np.testing.assert_allclose(moved, rate, rtol=1e-3, atol=1e-6)


def test_one_group_needs_no_wrapper():
    groups = layer_groups(make_model("none"))
    rates = group_rates(np.array([0.1]), list(groups), 0.5)
    optimizer = make_optimizer(keras.optimizers.Adam, rates, groups)
    assert type(optimizer) is keras.optimizers.Adam
