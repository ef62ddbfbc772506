"""Model files as an attacker would make them, each with what it is told.

`MODELS` are given as a backbone, `WEIGHTS` as weights; the modules
`tests.hostile_*` fill them. Each is a function of
an empty folder that returns the path of the file, and words of the message
that refuses it. Code in them would make `folder / CANARY`.
"""

import base64
import copy
import functools
import io
import json
import marshal
import zipfile

import h5py
import keras

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


def code(folder):
    """Returns a lambda as Keras serializes it, which makes the canary."""
    canary = str(folder / CANARY)
    source = eval(f"lambda x: (open({canary!r}, 'w'), x)[1]")
    text = base64.b64encode(marshal.dumps(source.__code__)).decode()
    value = {"code": text, "defaults": None, "closure": None}
    return {"class_name": "__lambda__", "config": {"value": value, **value}}


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
