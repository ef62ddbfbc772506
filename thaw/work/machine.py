"""Facts of a machine that the last bits of its results depend on."""

import importlib.metadata
import os
from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from thaw import __version__
from thaw.device import device_kind


def machine_facts(packages: Sequence[str] = ()) -> dict[str, str | None]:
    """Returns the kind of device and the versions of this process, by name.

    Args:
        packages: Other packages that count; None stands for the version of
            one that isn't installed.
    """
    return {
        "device": device_kind(),
        "Thaw": __version__,
        "TensorFlow": tf.__version__,
        "Keras": keras.__version__,
        "NumPy": np.__version__,
        "TF_ENABLE_ONEDNN_OPTS": os.environ.get("TF_ENABLE_ONEDNN_OPTS"),
        **{name: _version_of(name) for name in packages},
    }


def describe_differences(
    expected: Mapping[str, str | None],
    received: Mapping[str, str | None],
    where: str,
) -> str:
    """Returns how two of `machine_facts` differ, in words; empty: not at all.

    Args:
        expected: Facts that count.
        received: Those of another machine.
        where: That machine, e.g. `this machine`.
    """
    return "; ".join(
        f"{name}: expected {expected[name]}, {where} has {value}"
        for name, value in received.items()
        if expected.get(name, value) != value
    )


def _version_of(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
