"""Backbones, the models built on them, freezing, and splitting in two.

`BACKBONES` is plain data and needs no Keras; all others import Keras when they
are first used.
"""

import importlib
from typing import TYPE_CHECKING

from model_zoo.backbones import BACKBONES

if TYPE_CHECKING:  # what `__getattr__` imports when it is first used
    from model_zoo.build import build_model
    from model_zoo.parts import layers_of_kind, take_layers

__all__ = ["BACKBONES", "build_model", "layers_of_kind", "take_layers"]
_MODULES = {
    "build_model": "model_zoo.build",
    "layers_of_kind": "model_zoo.parts",
    "take_layers": "model_zoo.parts",
}


def __getattr__(name):
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
