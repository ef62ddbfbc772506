"""Proof that what was frozen did not move, and that the rest did."""

import dataclasses
import hashlib

import keras

_SHOWN = 5  # names in the summary


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

    def add_stage(
        self,
        trained_layers: list[str],
        before: dict[str, str],
        after: dict[str, str],
    ) -> None:
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

    def state(self) -> dict[str, list[str]]:
        """Returns what `FreezeProof.of_state` makes it of again, in JSON."""
        return {
            field.name: sorted(getattr(self, field.name))
            for field in dataclasses.fields(self)
        }

    @classmethod
    def of_state(cls, state: dict[str, list[str]]) -> "FreezeProof":
        """Returns what `state` was that of."""
        return cls(**{name: set(layers) for name, layers in state.items()})

    def summary(self) -> str:
        """Returns one line, the proof in words.

        E.g. `frozen 10 layers: none moved; trained 5 layers: all moved`.
        """
        still = self.trained - self.trained_moved
        return (
            f"frozen {_layers(self.frozen)}: "
            f"{_names(self.frozen_moved) or 'none'} moved; "
            f"trained {_layers(self.trained)}: "
            + (f"all moved but {_names(still)}" if still else "all moved")
        )


def hash_layers(model: keras.Model) -> dict[str, str]:
    """Returns the SHA-256 of all weights of each layer that has any.

    Moving statistics count; the state of random generators does not.
    """
    hashes = {}
    for name, layer in layers_with_weights(model).items():
        digest = hashlib.sha256()
        for variable in layer.weights:
            digest.update(keras.ops.convert_to_numpy(variable).tobytes())
        hashes[name] = digest.hexdigest()
    return hashes


def trained_layer_names(model: keras.Model) -> list[str]:
    """Returns the names of the layers whose weights training may move."""
    return [
        name
        for name, layer in layers_with_weights(model).items()
        if layer.trainable_variables
        # Its statistics move even where it has nothing else to train.
        or (
            isinstance(layer, keras.layers.BatchNormalization)
            and layer.trainable
        )
    ]


def layers_with_weights(
    model: keras.Model, prefix: str = ""
) -> dict[str, keras.Layer]:
    """Returns the innermost layers that have weights, by name, in order.

    Those inside a nested model are called `nested_model/layer`.
    """
    found = {}
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found |= layers_with_weights(layer, f"{prefix}{layer.name}/")
        elif layer.weights:
            found[prefix + layer.name] = layer
    return found


def _layers(names):
    return f"{len(names)} layer{'s' * (len(names) != 1)}"


def _names(names):
    shown = sorted(names)[:_SHOWN]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
