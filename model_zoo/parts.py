"""Parts of a model: its first layers, or all layers of a kind."""

import keras

from model_zoo.backbones import did_you_mean
from model_zoo.unfreeze import leaf_layers
from thaw.errors import UserError


def take_layers(model: keras.Model, last: str) -> keras.Model:
    """Returns the layers of `model` up to one, as a model.

    Args:
        model: Functional model; the layers are shared with it.
        last: Name of the last layer to take.

    Returns:
        Model from the input of `model` to the output of that layer.

    Raises:
        UserError: If there is no such layer; the nearest names are given.

    Example:

    ```python
    from model_zoo import build_model, take_layers

    model = build_model("vgg16_tiny", weights="auto")
    features = take_layers(model, "block4_pool")
    ```
    """
    names = [layer.name for layer in model.layers]
    if last not in names:
        raise UserError(
            f"{model.name} has no layer '{last}'.{did_you_mean(last, names)}"
        )
    return keras.Model(model.input, model.get_layer(last).output, name=last)


def layers_of_kind(
    model: keras.Model, kind: type[keras.Layer] | str
) -> list[keras.Layer]:
    """Returns all layers of a kind, those inside nested models, too.

    Args:
        model: Any Keras model.
        kind: A class, e.g. `keras.layers.Conv2D`, or its name; layers of
            classes derived from it count.
    """
    leaves = [leaf for layer in model.layers for leaf in leaf_layers(layer)]
    if isinstance(kind, str):
        return [
            leaf
            for leaf in leaves
            if kind in [cls.__name__ for cls in type(leaf).__mro__]
        ]
    return [leaf for leaf in leaves if isinstance(leaf, kind)]
