"""Operations that layers take."""

import math

import keras

from model_zoo.unfreeze import leaf_layers


def multiply_adds(layer: keras.Layer) -> int:
    """Returns the multiply-adds of a layer on one photo, forward.

    They are those with its weights, as papers count them: products of
    activations with one another, as in attention, and additions don't count.

    Args:
        layer: Layer, or functional model, that has been called.

    Example:

    ```python
    base = keras.applications.MobileNetV2(weights=None)
    print(sum(map(multiply_adds, base.layers)) / 1e6)  # 300.8
    ```
    """
    if isinstance(layer, keras.Model):
        return sum(map(multiply_adds, leaf_layers(layer)))
    shape = [x or 1 for x in getattr(layer.output, "shape", (None,))[1:]]
    weights = sum(math.prod(x.shape) for x in layer.weights if x.ndim > 1)
    return math.prod(shape[:-1]) * weights
