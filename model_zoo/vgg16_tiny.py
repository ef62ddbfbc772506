"""VGG16 at an eighth of its width, for the demo set and for fast tests."""

import keras
from keras import layers

# (convolutions, filters) of each block; VGG16 has 64 to 512 filters.
_BLOCKS = [(2, 8), (2, 16), (3, 32), (3, 64), (3, 64)]


def VGG16Tiny(
    include_top: bool = False,
    weights: None = None,
    input_tensor: keras.KerasTensor | None = None,
    name: str | None = None,
) -> keras.Model:
    """Returns VGG16's 13 convolutions, same names, an eighth of the filters.

    Simonyan & Zisserman 2014 (arXiv:1409.1556), table 1, column D, built like
    `keras/src/applications/vgg16.py`; 230,416 parameters. The arguments are
    those of the constructors in `keras.applications` that Thaw uses.

    Args:
        include_top: Must be False, there is no classifier.
        weights: Must be None: `model_zoo.weights` loads the embedded ones.
        input_tensor: Keras tensor (B, H, W, 3); left out: a new input of any
            size.
        name: Name of the model.

    Returns:
        A functional model whose output is (B, H // 32, W // 32, 64).
    """
    if include_top or weights is not None:
        raise ValueError("VGG16Tiny has no classifier and loads no weights.")
    if input_tensor is None:
        input_tensor = keras.Input((None, None, 3))
    x = input_tensor
    for block, (convolutions, filters) in enumerate(_BLOCKS, start=1):
        for number in range(1, convolutions + 1):
            x = layers.Conv2D(
                filters,
                3,
                activation="relu",
                padding="same",
                name=f"block{block}_conv{number}",
            )(x)
        x = layers.MaxPooling2D(2, strides=2, name=f"block{block}_pool")(x)
    (image,) = keras.utils.get_source_inputs(input_tensor)
    return keras.Model(image, x, name=name or "vgg16_tiny")
