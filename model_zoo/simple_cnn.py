"""A small CNN with two convolutions, trained from scratch."""

import keras
from keras import layers

_FILTERS = (10, 20)


def SimpleCNN(
    include_top: bool = False,
    weights: None = None,
    input_tensor: keras.KerasTensor | None = None,
    name: str | None = None,
) -> keras.Model:
    """Returns two blocks of 5 x 5 convolution, pooling and ReLU.

    The network of PyTorch's first MNIST example, whose `Dropout2d` is
    `SpatialDropout2D` here; 260 (one channel) and 5,020 parameters. The
    arguments are those of the constructors in `keras.applications` that Thaw
    uses.

    Args:
        include_top: Must be False, there is no classifier.
        weights: Must be None, there are none.
        input_tensor: Keras tensor (B, H, W, C); left out: a new input of any
            size, RGB.
        name: Name of the model.

    Returns:
        A functional model whose output is (B, (H - 12) // 4, (W - 12) // 4,
        20).
    """
    if include_top or weights is not None:
        raise ValueError("SimpleCNN has no classifier and no weights.")
    if input_tensor is None:
        input_tensor = keras.Input((None, None, 3))
    x = layers.Conv2D(_FILTERS[0], 5, name="conv1")(input_tensor)
    x = layers.MaxPooling2D(2, name="pool1")(x)
    x = layers.ReLU(name="relu1")(x)
    x = layers.Conv2D(_FILTERS[1], 5, name="conv2")(x)
    x = layers.SpatialDropout2D(0.5, name="dropout2")(x)
    x = layers.MaxPooling2D(2, name="pool2")(x)
    x = layers.ReLU(name="relu2")(x)
    (image,) = keras.utils.get_source_inputs(input_tensor)
    return keras.Model(image, x, name=name or "simple_cnn")
