"""Hostile files that are of another kind than they should be."""

import io
import json
import os
import pickle
import tarfile

import h5py

from tests.support.hostile_files import (
    CANARY,
    MODELS,
    WEIGHTS,
    Opens,
    code,
    hostile,
    members,
)


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
