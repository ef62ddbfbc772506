"""Model files as an attacker would make them, each with what it is told.

`MODELS` are given as a backbone, `WEIGHTS` as weights. Each is a function of
an empty folder that returns the path of the file, and words of the message
that refuses it. Code in them would make `folder / CANARY`.
"""

import base64
import copy
import functools
import io
import json
import marshal
import os
import pickle
import struct
import tarfile
import zipfile
import zlib

import h5py
import keras
import numpy as np

CANARY = "canary"
BOMBS = set()  # names of those that ask for memory
MODELS, WEIGHTS = {}, {}


def hostile(message, to=MODELS, bomb=False):
    def add(function):
        to[function.__name__] = (function, message)
        if bomb:
            BOMBS.add(function.__name__)
        return function

    return add


class Opens:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


@functools.cache
def _members():
    image = keras.Input((None, None, 3), name="in")
    x = keras.layers.Conv2D(4, 3, name="conv")(image)
    x = keras.layers.Activation("relu", name="act")(x)
    saved = io.BytesIO()
    with zipfile.ZipFile(saved, "w"):
        pass
    model = keras.Model(image, x)
    config = json.loads(model.to_json())
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        layer = file.create_group("layers/conv2d/vars")
        for name, array in zip(
            "01", model.get_layer("conv").get_weights(), strict=True
        ):
            layer[name] = array
    return config, weights.getvalue()


def members():
    """Returns the three members of an innocent file, config as a dict."""
    config, weights = _members()
    return {
        "metadata.json": '{"keras_version": "3.15.1"}',
        "config.json": copy.deepcopy(config),
        "model.weights.h5": weights,
    }


def written(folder, content, **options):
    """Writes members to a .keras file; returns its path."""
    path = folder / "model.keras"
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, member in content.items():
            if isinstance(member, dict):
                member = json.dumps(member)
            archive.writestr(name, member)
    return path


def with_layer(folder, class_name, config, module="keras.layers", **around):
    """Writes a model whose second layer is another one."""
    content = members()
    layer = content["config.json"]["config"]["layers"][2]
    layer |= {"module": module, "class_name": class_name, **around}
    layer["config"] = {"name": "act", **config}
    return written(folder, content)


def with_activation(folder, activation):
    return with_layer(folder, "Activation", {"activation": activation})


def function(module, name):
    return {
        "module": module,
        "class_name": "function",
        "config": name,
        "registered_name": name,
    }


def code(folder):
    """Returns a lambda as Keras serializes it, which makes the canary."""
    canary = str(folder / CANARY)
    source = eval(f"lambda x: (open({canary!r}, 'w'), x)[1]")
    text = base64.b64encode(marshal.dumps(source.__code__)).decode()
    value = {"code": text, "defaults": None, "closure": None}
    return {"class_name": "__lambda__", "config": {"value": value, **value}}


# Classes and functions.


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
        "config": {"units": 1000000},
        "registered_name": None,
        "build_config": {"input_shape": [None, 1000000]},
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


# Sizes.


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
    layers[1]["config"]["filters"] = 1_000_000
    conv = copy.deepcopy(layers[1])
    conv["name"] = conv["config"]["name"] = "act"
    conv["config"]["kernel_size"] = [60, 60]
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
            "config": {"name": "extra", "units": 1_000_000},
            "registered_name": None,
            "build_config": {"input_shape": [None, 1_000_000]},
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


# The archive.


@hostile("'assets/vocabulary.txt'")
def member_too_many(folder):
    return written(folder, members() | {"assets/vocabulary.txt": "x"})


@hostile("'../../canary'")
def member_that_leads_out(folder):
    content = members()
    del content["metadata.json"]
    return written(folder, content | {"../../canary": "x"})


@hostile("'/tmp/canary'")
def member_from_the_root(folder):
    content = members()
    del content["metadata.json"]
    return written(folder, content | {"/tmp/canary": "x"})


@hostile("'model.weights.npz'")
def weights_that_are_a_pickle(folder):
    content = members()
    array = np.empty(1, object)
    array[0] = Opens(str(folder / CANARY))
    file = io.BytesIO()
    np.savez(file, array)
    del content["model.weights.h5"]
    return written(folder, content | {"model.weights.npz": file.getvalue()})


@hostile("its members are")
def member_missing(folder):
    content = members()
    del content["metadata.json"]
    return written(folder, content)


def _with_info(folder, **attributes):
    path = folder / "model.keras"
    content = members()
    content["config.json"] = json.dumps(content["config.json"])
    with zipfile.ZipFile(path, "w") as archive:
        for name, member in content.items():
            info = zipfile.ZipInfo(name)
            if name == "config.json":
                for attribute, value in attributes.items():
                    setattr(info, attribute, value)
            archive.writestr(info, member)
    return path


@hostile("no plain file")
def member_that_is_a_link(folder):
    return _with_info(folder, external_attr=0o120777 << 16)


@hostile("packed in an odd way")
def member_packed_by_lzma(folder):
    return _with_info(folder, compress_type=zipfile.ZIP_LZMA)


@hostile("'config.json', .*'config.json'")
def config_that_is_there_twice(folder):
    content = members() | {"config.jsoN": json.dumps({})}
    path = written(folder, content)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"config.jsoN", b"config.json"))
    return path


@hostile("x00evil")
def name_that_ends_early(folder):
    content = members()
    del content["metadata.json"]
    path = written(folder, content | {"metadata.json_evil": "{}"})
    data = path.read_bytes()
    path.write_bytes(data.replace(b"json_evil", b"json\0evil"))
    return path


@hostile("encrypted")
def member_that_is_encrypted(folder):
    path = written(folder, members())
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    return path


@hostile("grows to", bomb=True)
def weights_that_grow(folder):
    content = members() | {"model.weights.h5": bytes(60_000_000)}
    return written(folder, content, compression=zipfile.ZIP_DEFLATED)


@hostile("grows to", bomb=True)
def config_that_grows(folder):
    content = members() | {"config.json": " " * 20_000_000}
    return written(folder, content, compression=zipfile.ZIP_DEFLATED)


@hostile("bytes before")
def bytes_before_it(folder):
    path = written(folder, members())
    path.write_bytes(b"PK\x03\x04 a program" + path.read_bytes())
    return path


@hostile("does not end as")
def bytes_after_it(folder):
    path = written(folder, members())
    path.write_bytes(path.read_bytes() + b"a program")
    return path


@hostile("between its members|fill it")
def bytes_between(folder):
    path = written(folder, members())
    data = path.read_bytes()
    end = data.index(b"PK\x01\x02")
    tail = bytearray(data[end:])
    (begin,) = struct.unpack_from("<L", tail, len(tail) - 6)
    struct.pack_into("<L", tail, len(tail) - 6, begin + 100)
    path.write_bytes(data[:end] + bytes(100) + tail)
    return path


@hostile("two things")
def member_with_another_size(folder):
    path = written(folder, members())
    data = bytearray(path.read_bytes())
    place = data.index(b"config.json") - 30
    struct.pack_into("<L", data, place + 22, 7)
    path.write_bytes(data)
    return path


@hostile("two things")
def member_with_another_name(folder):
    path = written(folder, members())
    data = path.read_bytes()
    path.write_bytes(data.replace(b"config.json", b"config.jsox", 1))
    return path


@hostile("between its members|bytes before")
def members_over_each_other(folder):
    path = written(folder, members())
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", entry + 1)
    struct.pack_into("<L", data, second + 42, 0)
    path.write_bytes(data)
    return path


@hostile("bytes before|two places")
def directory_of_zip64(folder):
    path = written(folder, members())
    data = path.read_bytes()
    begin = data.index(b"PK\x01\x02")
    directory, end = data[begin:-22], data[-22:]
    record = struct.pack(
        "<4sQ2H2L4Q",
        *(b"PK\x06\x06", 44, 45, 45, 0, 0, 3, 3, len(directory), begin),
    )
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(data) - 22, 1)
    path.write_bytes(data[:-22] + record + locator + end)
    return path


@hostile("does not end as|whole")
def half_a_file(folder):
    path = written(folder, members())
    path.write_bytes(path.read_bytes()[:-1000])
    return path


@hostile("Bad CRC")
def changed_bytes(folder):
    path = written(folder, members())
    data = bytearray(path.read_bytes())
    data[data.index(b"Functional")] ^= 1
    path.write_bytes(data)
    return path


# Other kinds of files.


@hostile("a whole model in HDF5")
def h5_called_keras(folder):
    path = _full_h5(folder)
    return path.rename(folder / "model.keras")


@hostile("pickle")
def pickle_called_keras(folder):
    path = folder / "model.keras"
    path.write_bytes(pickle.dumps(Opens(str(folder / CANARY))))
    return path


@hostile("no regular file")
def pipe_called_keras(folder):
    os.mkfifo(folder / "model.keras")
    return folder / "model.keras"


@hostile("it is a folder")
def folder_called_keras(folder):
    """Keras opens folders, too."""
    path = folder / "model.keras"
    path.mkdir()
    for name, member in members().items():
        text = json.dumps(member) if isinstance(member, dict) else member
        mode = "w" if isinstance(text, str) else "wb"
        with open(path / name, mode) as file:
            file.write(text)
    return path


def _full_h5(folder):
    """CVE-2025-9905: for a model in HDF5 there was no safe mode."""
    config = members()["config.json"]
    config["config"]["layers"][2] = {
        "class_name": "Lambda",
        "config": {"name": "act", "function": code(folder)},
        "name": "act",
        "inbound_nodes": [[["conv", 0, 0, {}]]],
    }
    path = folder / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.create_group("model_weights").attrs["layer_names"] = [b"conv"]
    return path


@hostile("a whole model in HDF5")
def cve_2025_9905(folder):
    return _full_h5(folder)


@hostile("a whole model in HDF5, not its weights", to=WEIGHTS)
def cve_2025_9905_as_weights(folder):
    return _full_h5(folder)


@hostile("it is an archive")
def cve_2025_12060(folder):
    """A tar that unpacks to elsewhere."""
    with tarfile.open(folder / "model.tar", "w") as archive:
        info = tarfile.TarInfo("../canary")
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    return folder / "model.tar"


@hostile("SavedModel")
def saved_model(folder):
    (folder / "saved_model.pb").write_bytes(b"")
    return folder


def _named(name, message, content=b""):
    def make(folder):
        path = folder / name
        path.write_bytes(content or pickle.dumps(Opens(str(folder / CANARY))))
        return path

    make.__name__ = f"file_{name.replace('.', '_')}"
    for kind in (MODELS, WEIGHTS):
        kind[make.__name__] = (make, message)


for _name in ("x.pkl", "x.PT", "x.pth", "x.joblib", "x.npy", "x.ckpt"):
    _named(_name, "a pickle, which can run any code")
for _name in ("x.zip", "x.tar.gz"):
    _named(_name, "it is an archive")
for _name in ("x.onnx", "x.tflite", "x.safetensors"):
    _named(_name, "of another tool")


# HDF5.


def hostile_h5(message, bomb=False):
    """Adds a function that spoils an HDF5 file, as weights and in a model."""

    def add(spoil):
        def as_weights(folder):
            path = folder / "w.weights.h5"
            path.write_bytes(members()["model.weights.h5"])
            with h5py.File(path, "a") as file:
                spoil(file, folder)
            return path

        def in_a_model(folder):
            weights = as_weights(folder).read_bytes()
            return written(folder, members() | {"model.weights.h5": weights})

        name = spoil.__name__
        WEIGHTS[name] = (as_weights, message)
        MODELS[f"{name}_in_a_model"] = (in_a_model, message)
        if bomb:
            BOMBS.update((name, f"{name}_in_a_model"))
        return spoil

    return add


def _replace(file, **dataset):
    del file["layers/conv2d/vars/0"]
    return file.create_dataset("layers/conv2d/vars/0", **dataset)


@hostile_h5("packed, in pieces or virtual", bomb=True)
def cve_2026_0897(file, folder):
    """A shape of terabytes, of which nothing is stored."""
    _replace(file, shape=(1 << 20, 1 << 20), dtype="f4", compression="gzip")


@hostile_h5("says it has", bomb=True)
def shape_of_nothing(file, folder):
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_alloc_time(h5py.h5d.ALLOC_TIME_LATE)
    space = h5py.h5s.create_simple((1 << 20, 1 << 18))
    group = file["layers/conv2d/vars"]
    del group["0"]
    h5py.h5d.create(group.id, b"0", h5py.h5t.IEEE_F32LE, space, dcpl=plan)


@hostile_h5("in another file")
def cve_2026_1669(file, folder):
    """Numbers that are the bytes of any file."""
    shape = (3, 3, 3, 4)
    _replace(file, shape=shape, dtype="f4", external=[("/etc/passwd", 0, 432)])


@hostile_h5("link to somewhere else")
def link_to_another_file(file, folder):
    del file["layers/conv2d/vars"]
    file["layers/conv2d/vars"] = h5py.ExternalLink("/etc/passwd", "/")


@hostile_h5("link to somewhere else")
def soft_link(file, folder):
    del file["layers/conv2d/vars"]
    file["layers/conv2d/vars"] = h5py.SoftLink("/")


@hostile_h5("packed, in pieces or virtual")
def virtual_numbers(file, folder):
    layout = h5py.VirtualLayout((3, 3, 3, 4), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (3, 3, 3, 4))
    del file["layers/conv2d/vars/0"]
    file.create_virtual_dataset("layers/conv2d/vars/0", layout)


@hostile_h5("not plain numbers", bomb=True)
def texts_for_numbers(file, folder):
    """All of which are one long one."""
    _replace(file, data=["a" * 1000] * 10, dtype=h5py.string_dtype())


@hostile_h5("not plain numbers")
def references_for_numbers(file, folder):
    _replace(file, data=[file["/"].ref], dtype=h5py.ref_dtype)


@hostile_h5("not plain numbers")
def records_for_numbers(file, folder):
    _replace(file, shape=(3,), dtype=[("a", "f4"), ("b", "S9")])


@hostile_h5("is a type, not an array")
def type_with_a_name(file, folder):
    file["layers/type"] = np.dtype("f4")


@hostile_h5("has two names")
def groups_in_a_circle(file, folder):
    file["layers/conv2d/vars/again"] = file["layers"]


@hostile_h5("has two names", bomb=True)
def array_with_many_names(file, folder):
    for number in range(100):
        file[f"layers/conv2d/vars/x{number}"] = file["layers/conv2d/vars/0"]


@hostile_h5("names its weights twice", bomb=True)
def weights_named_twice(file, folder):
    """Each of which is read anew, before they are counted."""
    group = file["layers/conv2d"]
    group.attrs["weight_names"] = np.array([b"vars/0", b"vars/./0"] * 500)


@hostile_h5("its attribute 'layer_names' may be too long", bomb=True)
def texts_of_any_length(file, folder):
    """Thousands of names, and a place for one of a megabyte among them."""
    names = ["a" * (1 << 20), *"bc" * 1000]
    file.attrs.create("layer_names", names, dtype=h5py.string_dtype())


@hostile_h5("its attribute 'layer_names' holds")
def references_for_names(file, folder):
    file.attrs.create("layer_names", [file.ref], dtype=h5py.ref_dtype)


@hostile_h5("a name in it is")
def name_of_control_codes(file, folder):
    file.create_group("\x1b[2J")


@hostile_h5("a whole model in HDF5")
def config_of_a_model(file, folder):
    file.attrs["model_config"] = "{}"


@hostile_h5("has no shape")
def array_without_shape(file, folder):
    _replace(file, data=h5py.Empty("f4"))


@hostile("something else before its content", to=WEIGHTS)
def h5_after_a_program(folder):
    path = folder / "w.h5"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["x"] = np.zeros(3)
    path.write_bytes(b"#!/bin/sh\n".ljust(512) + path.read_bytes()[512:])
    return path


@hostile("Cannot read the weights file", to=WEIGHTS)
def half_an_h5(folder):
    path = folder / "w.h5"
    path.write_bytes(members()["model.weights.h5"][:3000])
    return path


@hostile("Cannot read the weights file", to=WEIGHTS)
def h5_of_noise(folder):
    path = folder / "w.h5"
    data = bytearray(members()["model.weights.h5"])
    data[100:2000] = zlib.compress(bytes(data))[:1900].ljust(1900, b"\xff")
    path.write_bytes(data)
    return path


@hostile("no regular file", to=WEIGHTS)
def pipe_called_h5(folder):
    os.mkfifo(folder / "w.h5")
    return folder / "w.h5"


@hostile("not in the format", to=WEIGHTS)
def zip_called_h5(folder):
    return written(folder, members()).rename(folder / "w.h5")
