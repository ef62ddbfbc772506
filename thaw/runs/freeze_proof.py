"""Proof that frozen layers did not move, and that the others did."""

import dataclasses

import keras

from model_zoo.hashes import layers_with_weights

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
        """Adds one stage.

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
        """Returns the proof as JSON can hold it, for `of_state`."""
        return {
            field.name: sorted(getattr(self, field.name))
            for field in dataclasses.fields(self)
        }

    @classmethod
    def of_state(cls, state: dict[str, list[str]]) -> "FreezeProof":
        """Returns the proof of a `state`."""
        return cls(**{name: set(layers) for name, layers in state.items()})

    def summary(self) -> str:
        """Returns the proof in one line.

        E.g. `frozen 10 layers: none moved; trained 5 layers: all moved`.
        """
        still = self.trained - self.trained_moved
        return (
            f"frozen {_layers(self.frozen)}: "
            f"{_names(self.frozen_moved) or 'none'} moved; "
            f"trained {_layers(self.trained)}: "
            + (f"all moved but {_names(still)}" if still else "all moved")
        )


def trained_layer_names(model: keras.Model) -> list[str]:
    """Returns the names of the layers whose weights training moves."""
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


def _layers(names):
    return f"{len(names)} layer{'s' * (len(names) != 1)}"


def _names(names):
    shown = sorted(names)[:_SHOWN]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
