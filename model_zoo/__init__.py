"""Backbones, the models built on them, freezing, and splitting in two.

`BACKBONES` is plain data and needs no Keras; `build_model` imports Keras when
it is first used.
"""

import importlib

from model_zoo.backbones import BACKBONES

__all__ = ["BACKBONES", "build_model"]


def __getattr__(name):
    if name == "build_model":
        return importlib.import_module("model_zoo.build").build_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
