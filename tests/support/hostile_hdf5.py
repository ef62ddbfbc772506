"""Hostile weights: HDF5 files, alone and in a model."""

import os
import zlib

import h5py
import numpy as np

from tests.support.hostile_files import (
    BOMBS,
    MODELS,
    WEIGHTS,
    hostile,
    members,
    written,
)


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
    """2 GiB, of which nothing is stored; Keras looks from 4 GiB on."""
    _replace(file, shape=(1 << 14, 1 << 15), dtype="f4", compression="gzip")


@hostile_h5("says it has", bomb=True)
def shape_of_nothing(file, folder):
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_alloc_time(h5py.h5d.ALLOC_TIME_LATE)
    space = h5py.h5s.create_simple((1 << 14, 1 << 15))
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


def _legacy_h5(folder, names, array):
    """Writes weights in the older of the two forms, by layer order."""
    path = folder / "w.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"conv"]
        layer = file.create_group("conv")
        layer["kernel"] = array
        text = h5py.string_dtype()
        is_text = isinstance(names[0], str)
        layer.attrs.create(
            "weight_names", names, dtype=text if is_text else None
        )
    return path


@hostile("names its weights twice", to=WEIGHTS, bomb=True)
def weights_named_twice(folder):
    """Keras reads each of them anew, and only then counts: 2 GiB."""
    return _legacy_h5(folder, [b"kernel"] * 200, np.ones(10 << 18, "f4"))


@hostile("'weight_names' may be too long", to=WEIGHTS, bomb=True)
def texts_of_any_length(folder):
    """Thousands of names, each of which might be one of a megabyte."""
    names = ["a" * (1 << 20), *"bc" * 1000]
    return _legacy_h5(folder, names, np.ones(3, "f4"))


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
