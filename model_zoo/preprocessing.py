"""What happens to raw RGB in [0, 255] before the base sees it."""

import keras
from keras import layers

from errors import UserError
from model_zoo.backbones import PREPROCESS_MODES, RESIZE_MODES

# ImageNet statistics, as in keras/src/applications/imagenet_utils.py.
_BGR_MEANS = (103.939, 116.779, 123.68)
_RGB_MEANS = (0.485, 0.456, 0.406)
_RGB_DEVIATIONS = (0.229, 0.224, 0.225)


def resizing_layer(
    image_size: int, resize: str = "squash", name: str | None = None
) -> keras.Layer:
    """Returns the `Resizing` layer that training and serving share.

    Args:
        image_size: Pixels a side of the square that comes out.
        resize: `squash` (the sides are scaled apart), `crop` (the middle
            square) or `pad` (black bars).
        name: Name of the layer.

    Raises:
        UserError: If `resize` is not one of these.
    """
    if resize not in RESIZE_MODES:
        raise UserError(
            f"resize must be one of {', '.join(RESIZE_MODES)}. "
            f"Received: {resize!r}"
        )
    return layers.Resizing(
        image_size,
        image_size,
        interpolation="bilinear",
        crop_to_aspect_ratio=resize == "crop",
        pad_to_aspect_ratio=resize == "pad",
        name=name,
    )


def preprocess(images: keras.KerasTensor, mode: str) -> keras.KerasTensor:
    """Returns `images` scaled as the weights of the base expect them.

    The arithmetic of `imagenet_utils.preprocess_input`, from Keras's own
    layers and operations, so that a saved model needs no code of ours.

    Args:
        images: Keras tensor, float32 (B, H, W, 3), RGB in [0, 255].
        mode: `caffe` (BGR, channel means subtracted), `torch` (scaled to
            [0, 1], then to zero mean and unit deviation), `tf` (to [-1, 1]),
            `rescale` (to [0, 1]) or `none`.

    Returns:
        Keras tensor of the same shape and dtype.

    Raises:
        UserError: If `mode` is none of these.
    """
    if mode == "caffe":
        scale, offset = 1.0, [-mean for mean in _BGR_MEANS]
        images = keras.ops.flip(images, axis=-1)
    elif mode == "torch":
        scale = [1 / (255 * deviation) for deviation in _RGB_DEVIATIONS]
        offset = [
            -mean / deviation
            for mean, deviation in zip(_RGB_MEANS, _RGB_DEVIATIONS, strict=True)
        ]
    elif mode == "tf":
        scale, offset = 1 / 127.5, -1.0
    elif mode == "rescale":
        scale, offset = 1 / 255, 0.0
    elif mode == "none":
        return images
    else:
        raise UserError(
            f"preprocess must be auto or one of {', '.join(PREPROCESS_MODES)}. "
            f"Received: {mode!r}"
        )
    return layers.Rescaling(scale, offset, name="preprocess")(images)
