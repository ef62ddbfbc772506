"""Kinds of arguments that layers of KerasHub may have, with their bounds."""

from collections.abc import Callable
from typing import Any

_ACTIVATIONS = """
    gelu gelu_approximate hard_sigmoid hard_swish leaky_relu linear relu relu6
    sigmoid silu swish tanh
""".split()
_MOST_UNITS = 1 << 15
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
}
OF_EVERY_LAYER: dict[str, Callable[[Any], bool]] = {
    "name": lambda x: isinstance(x, str),
    "trainable": KINDS["flag"],
    # A policy is looked at as those of other layers are.
    "dtype": lambda x: isinstance(x, str | dict),
}
