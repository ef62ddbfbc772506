"""Kinds of arguments that layers of KerasHub may have, with their bounds."""

from collections.abc import Callable
from typing import Any

_ACTIVATIONS = """
    gelu gelu_approximate hard_sigmoid hard_swish leaky_relu linear relu relu6
    sigmoid silu swish tanh
""".split()
_NORMS = ("batch_norm", "rms_norm")
_PADDINGS = ("", "same", "valid")
_INTERPOLATIONS = ("nearest", "bilinear")
_MOST_UNITS = 1 << 15
_MOST_PARTS = 64  # of a layer, each of which is a layer
_MOST_PIXELS = 1 << 12
_LARGEST_SCALE = 1e4


def _is_whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value):
    return _is_whole(value) and 1 <= value <= _MOST_UNITS


def _is_pixels(value):
    return _is_whole(value) and 1 <= value <= _MOST_PIXELS


def _is_square(value):
    return isinstance(value, list | tuple) and (
        len(value) == 2 and all(map(_is_pixels, value))
    )


def _is_few(value):
    return _is_whole(value) and 1 <= value <= _MOST_PARTS


def _is_list(value, is_item):
    return isinstance(value, list | tuple) and (
        1 <= len(value) <= _MOST_PARTS and all(map(is_item, value))
    )


KINDS: dict[str, Callable[[Any], bool]] = {
    "activation": lambda x: isinstance(x, str) and x in _ACTIVATIONS,
    "channels_last": lambda x: x == "channels_last",
    "count": _is_count,
    "flag": lambda x: isinstance(x, bool),
    "number": lambda x: _is_whole(x) and 0 <= x <= _MOST_UNITS,
    "pixels": _is_pixels,
    "rate": lambda x: _is_number(x) and 0 <= x < 1,
    "scale": lambda x: _is_number(x) and 0 <= x <= _LARGEST_SCALE,
    "square": _is_square,
    "counts": lambda x: _is_list(x, _is_count),
    "few": _is_few,
    "fews": lambda x: _is_list(x, _is_few),
    "flags": lambda x: _is_list(x, KINDS["flag"]),
    "interpolation": lambda x: isinstance(x, str) and x in _INTERPOLATIONS,
    "last_axis": lambda x: _is_whole(x) and x == -1,
    "none": lambda x: x is None,
    "norm": lambda x: isinstance(x, str) and x in _NORMS,
    "optional_activation": lambda x: x is None or KINDS["activation"](x),
    "optional_rate": lambda x: x is None or KINDS["rate"](x),
    "optional_scale": lambda x: x is None or KINDS["scale"](x),
    "padding": lambda x: isinstance(x, str) and x in _PADDINGS,
    "resolution": lambda x: _is_pixels(x) or _is_square(x),
}
OF_EVERY_LAYER: dict[str, Callable[[Any], bool]] = {
    "name": lambda x: isinstance(x, str),
    "trainable": KINDS["flag"],
    # A policy is looked at as those of other layers are.
    "dtype": lambda x: isinstance(x, str | dict),
}
