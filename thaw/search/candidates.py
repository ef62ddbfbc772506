"""Candidates: what a search for the unfreeze point can choose from."""

import math
from typing import Any, NamedTuple

import keras

from model_zoo.boundary import split
from model_zoo.tokens import token_blocks
from model_zoo.unfreeze import (
    base_layers,
    block_starts,
    first_trained_layer,
    unfreeze,
)
from thaw.config import TrainConfig

# Two and a half decades; what is likeliest comes first, for a short search.
_RATES = (1e-4, 3e-5, 3e-4, 1e-5, 1e-3, 3e-3)
_EPOCHS = (1, 3, 10)
_AUGMENTATIONS = ("flip", "none", "flip_rotate", "affine", "crop")
_LONG_BLOCK = 8  # layers with kernels: its middle is a candidate, too
_MOST_POINTS = 5
_LAST_BLOCKS = (1, 2, 4, 8, 16)  # of a transformer, whose blocks are alike


class Candidate(NamedTuple):
    """Options of one trial.

    Attributes:
        unfreeze_from: Unfreeze point.
        learning_rate: Learning rate of fine-tuning.
        augment: Augmentation.
    """

    unfreeze_from: str
    learning_rate: float
    augment: str

    def options(self) -> dict[str, Any]:
        """Returns the options of `TrainConfig` that it stands for."""
        return self._asdict()

    def describe(self, epochs: int) -> str:
        """Returns e.g. `conv_dw_12, learning rate 1e-05, flip, 3 epochs`."""
        if self.unfreeze_from == "none":
            return "head alone"
        return (
            f"{self.unfreeze_from}, learning rate {self.learning_rate:g}, "
            f"{self.augment}, {epochs} epoch{'s' * (epochs != 1)}"
        )


def unfreeze_points(model: keras.Model) -> list[str]:
    """Returns the unfreeze points to try, the last of the model first.

    These are the starts of the blocks after the first, and the middles of long
    blocks, at which one tensor flows into the rest; five at most. Of a
    transformer, the last block, two, four, eight, and so on.

    Args:
        model: Model of `build_model`.
    """
    if blocks := token_blocks(model):
        numbers = {*_LAST_BLOCKS, len(blocks)}
        known = [x for x in sorted(numbers) if x <= len(blocks)]
        return [blocks[-x].name for x in known][:_MOST_POINTS]
    layers = [x for x in base_layers(model) if x.weights]
    names = [layer.name for layer in layers]
    starts = block_starts(model)
    points = set(starts[1:])
    for start, end in zip(starts, [*starts, None][1:], strict=True):
        stop = names.index(end) if end else len(names)
        inside = layers[names.index(start) + 1 : stop]
        inside = [x for x in inside if _has_kernel(x)]
        cuts = [x for x in inside if len(split(model, x)[0].outputs) == 1]
        if len(inside) >= _LONG_BLOCK and cuts:
            points.add(cuts[len(cuts) // 2].name)
    return [x for x in reversed(names) if x in points][:_MOST_POINTS]


def _has_kernel(layer):  # unlike BatchNormalization, which comes after one
    return hasattr(layer, "kernel") or hasattr(layer, "depthwise_kernel")


def learning_rates(config: TrainConfig) -> tuple[Any, ...]:
    """Returns the learning rates to try, in this order; a given one alone."""
    if "learning_rate" in config.given:
        return (config.learning_rate,)
    return _RATES


def augmentations(config: TrainConfig) -> tuple[str, ...]:
    """Returns the augmentations to try, the likeliest first."""
    return (config.augment,) if "augment" in config.given else _AUGMENTATIONS


def numbers_of_epochs(config: TrainConfig) -> tuple[int, ...]:
    """Returns how many epochs to try, in three rounds; a given number last."""
    if "epochs" not in config.given:
        return _EPOCHS
    return tuple(min(x, config.epochs) for x in _EPOCHS[:2]) + (config.epochs,)


def num_parameters(model: keras.Model, unfreeze_from: str) -> int:
    """Returns how many parameters train; the model is left unfrozen so."""
    unfreeze(model, unfreeze_from)
    return sum(math.prod(x.shape) for x in model.trainable_variables)


def num_trained(model: keras.Model, unfreeze_from: str) -> int:
    """Returns how many layers train, to compare unfreeze points by."""
    first = first_trained_layer(model, unfreeze_from)
    return len(model.layers) - model.layers.index(first)
