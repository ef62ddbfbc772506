"""Hostile models: classes, functions and modules in config.json."""

import base64
import pickle

from tests.support.hostile_files import (
    BOMBS,
    CANARY,
    Opens,
    code,
    function,
    hostile,
    members,
    with_activation,
    with_layer,
    written,
)


@hostile("keras.layers.Lambda")
def lambda_layer(folder):
    return with_layer(folder, "Lambda", {"function": code(folder)})


@hostile("keras.layers.Lambda")
def cve_2025_1550(folder):
    """Any function of any module."""
    return with_layer(
        folder,
        "Lambda",
        {
            "function": function("os", "system"),
            "arguments": {"command": f"touch {folder / CANARY}"},
        },
    )


@hostile("os.function")
def function_of_a_module(folder):
    return with_activation(folder, function("os", "system"))


@hostile("builtins.function")
def function_of_python(folder):
    return with_activation(folder, function("builtins", "eval"))


@hostile("keras.utils.function")
def cve_2025_8747(folder):
    """Keras's own get_file fetches and unpacks."""
    return with_activation(folder, function("keras.utils", "get_file"))


@hostile("keras.layers.Lambda")
def cve_2025_9906(folder):
    """First switches off the safe mode, then brings code."""
    content = members()
    _, conv, act = content["config.json"]["config"]["layers"]
    conv["config"]["kernel_initializer"] = {
        "module": "keras.config",
        "class_name": "function",
        "config": "enable_unsafe_deserialization",
        "registered_name": "enable_unsafe_deserialization",
    }
    act |= {"class_name": "Lambda"}
    act["config"] = {"name": "act", "function": code(folder)}
    content["config.json"]["config"]["layers"].reverse()
    return written(folder, content)


@hostile("keras.config.function")
def unsafe_mode(folder):
    name = "enable_unsafe_deserialization"
    return with_activation(folder, function("keras.config", name))


@hostile("TorchModuleWrapper")
def cve_2025_49655(folder):
    data = pickle.dumps(Opens(str(folder / CANARY)))
    module = base64.b64encode(data).decode()
    return with_layer(folder, "TorchModuleWrapper", {"module": module})


@hostile("StringLookup")
def cve_2025_12058(folder):
    """A vocabulary is a path, or an address on the network."""
    return with_layer(folder, "StringLookup", {"vocabulary": "/etc/passwd"})


@hostile("TextVectorization")
def vocabulary_of_texts(folder):
    return with_layer(
        folder, "TextVectorization", {"vocabulary": "/etc/passwd"}
    )


@hostile("IntegerLookup")
def vocabulary_of_numbers(folder):
    return with_layer(folder, "IntegerLookup", {"vocabulary": "/etc/passwd"})


@hostile("TFSMLayer")
def cve_2026_1462(folder):
    """A SavedModel from elsewhere, whatever the safe mode."""
    return with_layer(folder, "TFSMLayer", {"filepath": str(folder)})


@hostile("evil.Evil")
def class_of_a_module(folder):
    (folder / "evil.py").write_text(f"open({str(folder / CANARY)!r}, 'w')")
    return with_layer(folder, "Evil", {}, module="evil")


@hostile("keras.src.utils.file_utils")
def class_inside_keras(folder):
    return with_layer(
        folder, "Progbar", {}, module="keras.src.utils.file_utils"
    )


@hostile("by another name")
def registered_name(folder):
    return with_layer(folder, "ReLU", {}, registered_name="evil>Evil")


@hostile("by another name")
def registered_name_of_a_list(folder):
    return with_layer(folder, "ReLU", {}, registered_name=["evil"])


@hostile("not among the layers")
def class_name_of_a_list(folder):
    return with_layer(folder, ["ReLU"], {})


@hostile("'ReLU'")
def legacy_layer_without_module(folder):
    content = members()
    layer = content["config.json"]["config"]["layers"][2]
    del layer["module"], layer["registered_name"]
    layer |= {"class_name": "ReLU", "config": {"name": "act"}}
    return written(folder, content)


@hostile("__lambda__")
def lambda_as_activation(folder):
    return with_activation(folder, code(folder))


@hostile("__lambda__")
def lambda_among_arguments(folder):
    content = members()
    node = content["config.json"]["config"]["layers"][2]["inbound_nodes"][0]
    node["kwargs"] = {"mask": code(folder)}
    return written(folder, content)


@hostile("__lambda__")
def lambda_as_initializer(folder):
    content = members()
    conv = content["config.json"]["config"]["layers"][1]
    conv["config"]["kernel_initializer"] = code(folder)
    return written(folder, content)


@hostile("__typespec__")
def type_of_a_module(folder):
    return with_activation(
        folder,
        {
            "class_name": "__typespec__",
            "spec_name": "Evil",
            "module": "evil",
            "registered_name": None,
            "config": [],
        },
    )


@hostile("TimeDistributed")
def lambda_in_a_wrapper(folder):
    layer = {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {"function": code(folder)},
        "registered_name": None,
    }
    return with_layer(folder, "TimeDistributed", {"layer": layer})


@hostile("keras.layers.Lambda")
def lambda_in_an_inner_model(folder):
    layer = {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {"name": "x", "function": code(folder)},
        "registered_name": None,
    }
    return with_layer(folder, "Sequential", {"layers": [layer]}, module="keras")


@hostile("compiled")
def inner_model_that_is_compiled(folder):
    loss = function("os", "system")
    return with_layer(
        folder,
        "Sequential",
        {"layers": []},
        module="keras",
        compile_config={"optimizer": "adam", "loss": loss},
    )


@hostile("keras.layers.Dense")
def layer_in_a_layer(folder):
    """Built where nothing counts its weights."""
    dense = {
        "module": "keras.layers",
        "class_name": "Dense",
        "config": {"units": 30_000},
        "registered_name": None,
        "build_config": {"input_shape": [None, 30_000]},
    }
    return with_activation(folder, dense)


BOMBS.add("layer_in_a_layer")


@hostile("not a functional or sequential model")
def model_of_another_class(folder):
    content = members()
    content["config.json"] |= {"module": "evil", "class_name": "Evil"}
    return written(folder, content)


@hostile("control|a text in it")
def name_that_moves_the_cursor(folder):
    content = members()
    content["config.json"]["config"]["name"] = "\x1b[2J"
    return written(folder, content)
