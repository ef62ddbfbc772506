"""Costs of unfreezing from each layer: parameters, features, seconds."""

import math
import textwrap
import time
from collections.abc import Sequence

import keras
import numpy as np

from model_zoo.boundary import boundary_tensors, split
from model_zoo.operations import multiply_adds
from model_zoo.unfreeze import (
    block_starts,
    first_trained_layer,
    leaf_layers,
    unfreeze,
)
from thaw.search.speeds import time_step

_HEADER = ("params from here", "MB a photo", "s an epoch")
_NOTE = (
    "If unfrozen from a layer: parameters that train, head included; features "
    "kept of a photo, in float16; seconds of an epoch of 1,000 photos, without "
    "the frozen part, "
)
_PHOTOS = 1000
_LONGEST_SECONDS = 1.5  # of all steps that are timed
_FLOPS_OF_VALUE = 10  # moving a value takes as long as so many operations


def layer_costs(
    model: keras.Model, batch_size: int, train_batch_norm: bool
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]], str]:
    """Returns the costs of each layer of the base, and how they were found.

    A step is timed at the starts of the last blocks, with random features; in
    between and before, it is estimated from operations.

    Args:
        model: Model of `build_model`; all its layers train afterwards.
        batch_size: Photos per step.
        train_batch_norm: As in `model_zoo.unfreeze.unfreeze`.

    Returns:
        A header, by layer name a text for each column of it, and a note.
    """
    unfreeze(model, "all", train_batch_norm)
    resize = model.layers.index(model.get_layer("resize"))
    layers = model.layers[resize + 1 :]
    params = _from_end([_num_trained(layer) for layer in layers])
    operations = _from_end([_flops(layer) for layer in layers])
    of_layer = dict(zip(map(id, layers), operations, strict=True))
    starts = [
        first_trained_layer(model, name)
        for name in ("none", *reversed(block_starts(model)))
    ]
    timed, seconds = _time_steps(model, starts, batch_size)
    known = [of_layer[id(layer)] for layer in timed]
    costs: dict[str, tuple[str, ...]] = {}
    for layer, num, flops in zip(layers, params, operations, strict=True):
        tensors = boundary_tensors(model, layer)
        values = sum(math.prod(x.shape[1:]) for x in tensors)
        of_epoch = _interpolate(flops, known, seconds) * _PHOTOS / batch_size
        costs[layer.name] = (
            f"{num:,}",
            f"{2 * values / 1e6:.3f}",
            f"{of_epoch:.1f}",
        )
    names = ", ".join(layer.name for layer in timed[1:])
    how = f"measured here from {names}" if names else "measured for the head"
    note = f"{_NOTE}{how}, else from operations."
    return _HEADER, costs, textwrap.fill(note, 78)


def _time_steps(model, starts, batch_size):
    """Returns the layers that a step was timed from, and its seconds."""
    begin = time.perf_counter()
    timed, seconds = [], []
    for layer in starts:
        trained = split(model, layer)[1]
        seconds.append(time_step(trained, batch_size).seconds)
        timed.append(layer)
        if time.perf_counter() - begin > _LONGEST_SECONDS:
            break
    return timed, seconds


def _interpolate(flops, known, seconds):
    """Returns seconds by operations; beyond what is known, in proportion."""
    if flops > known[-1]:
        return seconds[-1] * flops / known[-1]
    return float(np.interp(flops, known, seconds))


def _from_end(numbers: Sequence[int]) -> list[int]:
    """Returns sums of each number and all after it."""
    return np.cumsum(numbers[::-1])[::-1].tolist()


def _num_trained(layer):
    return sum(math.prod(x.shape) for x in layer.trainable_variables)


def _flops(layer):
    """Returns the operations of a layer on one photo, forward."""
    if isinstance(layer, keras.Model):
        return sum(map(_flops, leaf_layers(layer)))
    shape = [x or 1 for x in getattr(layer.output, "shape", (None,))[1:]]
    return 2 * multiply_adds(layer) + _FLOPS_OF_VALUE * math.prod(shape)
