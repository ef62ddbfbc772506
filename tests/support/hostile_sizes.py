"""Hostile models: numbers in config.json that ask for memory or time."""

import copy
import functools

from tests.support.hostile_files import (
    hostile,
    members,
    with_activation,
    with_layer,
    written,
)


@hostile("__numpy__", bomb=True)
def text_of_any_length(folder):
    """One letter in an array whose items have 400 MB each."""
    return with_activation(
        folder,
        {
            "class_name": "__numpy__",
            "config": {"value": ["a"] * 10, "dtype": "U100000000"},
        },
    )


@hostile(
    "ask for 36,000,004,000,004 weights|ask for [0-9,]+ weights", bomb=True
)
def more_weights_than_the_file_has(folder):
    content = members()
    layers = content["config.json"]["config"]["layers"]
    layers[1]["config"]["filters"] = 10_000
    conv = copy.deepcopy(layers[1])
    conv["name"] = conv["config"]["name"] = "act"
    conv["inbound_nodes"] = layers[2]["inbound_nodes"]
    layers[2] = conv
    for layer in layers:
        layer.pop("build_config", None)
    return written(folder, content)


@hostile("does not use", bomb=True)
def layer_that_nothing_uses(folder):
    """Keras builds it from its build_config, and forgets it."""
    content = members()
    content["config.json"]["config"]["layers"].append(
        {
            "module": "keras.layers",
            "class_name": "Dense",
            "config": {"name": "extra", "units": 30_000},
            "registered_name": None,
            "build_config": {"input_shape": [None, 30_000]},
            "name": "extra",
            "inbound_nodes": [],
        }
    )
    return written(folder, content)


@hostile("'units' is 1000000000000", bomb=True)
def number_beyond_reason(folder):
    return with_layer(folder, "Dense", {"units": 10**12})


@hostile("numbers of one photo", bomb=True)
def photo_beyond_reason(folder):
    content = members()
    shape = [None, 60_000, 60_000, 3]
    layers = content["config.json"]["config"]["layers"]
    layers[0]["config"]["batch_shape"] = shape
    for layer in layers[1:]:
        layer.pop("build_config", None)
    return written(folder, content)


@hostile("'dilation_rate' is 100000", bomb=True)
def hole_beyond_reason(folder):
    content = members()
    conv = content["config.json"]["config"]["layers"][1]
    conv["config"] |= {"dilation_rate": [100_000, 100_000], "padding": "same"}
    return written(folder, content)


@hostile("over 5,000 layers")
def ten_thousand_layers(folder):
    content = members()
    layers = content["config.json"]["config"]["layers"]
    layers += [layers[2]] * 10_000
    return written(folder, content)


@hostile("in no order")
def layers_in_the_wrong_order(folder):
    """Each of which Keras tries again after each of them."""
    content = members()
    layers = content["config.json"]["config"]["layers"]
    for number in range(300):
        layer = copy.deepcopy(layers[2])
        layer["name"] = layer["config"]["name"] = f"x{number}"
        tensor = layer["inbound_nodes"][0]["args"][0]["config"]
        tensor["keras_history"][0] = f"x{number + 1}"
        layers.append(layer)
    return written(folder, content)


@hostile("Cannot open .* as a Keras model")
def layers_in_a_circle(folder):
    content = members()
    layer = content["config.json"]["config"]["layers"][1]
    tensor = layer["inbound_nodes"][0]["args"][0]["config"]
    tensor["keras_history"][0] = "act"
    return written(folder, content)


@hostile("RecursionError")
def brackets_without_end(folder):
    content = members()
    content["config.json"] = "[" * 100_000
    return written(folder, content)


@hostile("nested too deep")
def brackets_beyond_reason(folder):
    content = members()
    deep = functools.reduce(lambda inner, _: [inner], range(200), 1)
    content["config.json"]["config"]["input_layers"] = deep
    return written(folder, content)


@hostile("not that of a model")
def config_of_a_list(folder):
    content = members()
    content["config.json"] = "[]"
    return written(folder, content)
