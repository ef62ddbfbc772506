"""Proof that what was frozen did not move, and that the rest did."""

import dataclasses
import hashlib

import keras

from model_zoo.unfreeze import leaf_layers


@dataclasses.dataclass
class FreezeProof:
    """Names of the layers with weights, by whether they trained and moved.

    A layer that trained in any stage counts as trained. A frozen layer must
    not move in any stage in which it was frozen.
    """

    trained: set = dataclasses.field(default_factory=set)
    frozen: set = dataclasses.field(default_factory=set)
    trained_moved: set = dataclasses.field(default_factory=set)
    frozen_moved: set = dataclasses.field(default_factory=set)

    def add_stage(self, trained_layers, before, after):
        """Adds what one stage moved.

        Args:
            trained_layers: Names of the layers that had variables to train.
            before: `hash_layers` at the start of the stage.
            after: `hash_layers` at its end.
        """
        moved = {name for name in before if before[name] != after[name]}
        self.trained |= set(trained_layers)
        self.frozen = set(before) - self.trained
        self.trained_moved |= moved & set(trained_layers)
        self.frozen_moved |= moved - set(trained_layers)

    def summary(self):
        """Returns one line, the proof in words.

        E.g. `frozen 10 layers: none moved; trained 5 layers: all moved`.
        """
        still = self.trained - self.trained_moved
        return (
            f"frozen {_layers(self.frozen)}: "
            f"{_names(self.frozen_moved) or 'none'} moved; "
            f"trained {_layers(self.trained)}: "
            + (f"{_names(still)} did not move" if still else "all moved")
        )


def hash_layers(model):
    """Returns the SHA-256 of all weights of each layer that has any.

    Moving statistics count; the state of random generators does not.
    """
    hashes = {}
    for layer in layers_with_weights(model):
        digest = hashlib.sha256()
        for variable in layer.weights:
            digest.update(keras.ops.convert_to_numpy(variable).tobytes())
        hashes[layer.name] = digest.hexdigest()
    return hashes


def trained_layer_names(model):
    """Returns the names of the layers with variables that train, in order."""
    return [
        layer.name
        for layer in layers_with_weights(model)
        if layer.trainable_variables
    ]


def layers_with_weights(model):
    """Returns the innermost layers of `model` that have weights, in order."""
    return [layer for layer in leaf_layers(model) if layer.weights]


def _layers(names):
    return f"{len(names)} layer{'s' * (len(names) != 1)}"


def _names(names):
    return ", ".join(sorted(names))
