"""Resizing and preprocessing: from raw RGB in [0, 255] to the base's input."""

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence

import keras
from keras import layers

from model_zoo.backbones import PREPROCESS_MODES, RESIZE_MODES
from thaw.errors import UserError

# ImageNet statistics, as in keras/src/applications/imagenet_utils.py.
_BGR_MEANS = (103.939, 116.779, 123.68)
_RGB_MEANS = (0.485, 0.456, 0.406)
_RGB_DEVIATIONS = (0.229, 0.224, 0.225)
_MNIST_MEAN, _MNIST_DEVIATION = 0.1307, 0.3081  # of its training images
# Resized to 256, of which the middle 224 are taken (Krizhevsky et al. 2012).
_RESIZED, _CROPPED = 256, 224


@contextlib.contextmanager
def channels_last() -> Iterator[None]:
    """Makes Keras build layers for photos, whatever keras.json says."""
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_last")
    try:
        yield
    finally:
        keras.config.set_image_data_format(before)


def resize_images(images: keras.KerasTensor, image_size: int, resize: str):
    """Returns square images, made by the layer `resize`.

    It is called with `training=False`: its own default is True, which in Keras
    3.15 (`Layer._resolve_and_populate_arg`) holds for all layers after it when
    a model is called, or exported, without saying which. BatchNormalization
    that trains would then go by the statistics of each batch, and move its own.

    Args:
        images: Keras tensor, (B, H, W, 3).
        image_size: Pixels a side of the square that comes out.
        resize: `squash` (the sides are scaled apart), `crop` (the middle
            square), `center` (the middle 7/8 of that, as ImageNet models are
            evaluated: 224 of 256 pixels) or `pad` (black bars).

    Returns:
        Keras tensor, float32 (B, image_size, image_size, 3).

    Raises:
        UserError: If `resize` is not one of these.
    """
    if resize == "center":
        large = round(image_size * _RESIZED / _CROPPED)
        images = resizing_layer(large, "crop", "presize")(
            images, training=False
        )
        return layers.CenterCrop(
            image_size,
            image_size,
            data_format="channels_last",
            name="resize",
            dtype="float32",
        )(images, training=False)
    return resizing_layer(image_size, resize, "resize")(images, training=False)


def resizing_layer(
    image_size: int, resize: str, name: str | None = None
) -> keras.Layer:
    """Returns a `Resizing` layer; `center` resizes as `crop` does."""
    if resize not in RESIZE_MODES:
        raise UserError(
            f"`resize` must be one of {', '.join(RESIZE_MODES)}. "
            f"Received: {resize!r}"
        )
    return layers.Resizing(
        image_size,
        image_size,
        interpolation="bilinear",
        crop_to_aspect_ratio=resize in ("crop", "center"),
        pad_to_aspect_ratio=resize == "pad",
        data_format="channels_last",
        name=name,
        dtype="float32",  # half precision would lose fractions of a level
    )


def resizing_of(model: keras.Model) -> Callable:
    """Returns how `model` resizes: a function of one photo, (H, W, 3)."""
    steps = [x for x in model.layers if x.name in ("presize", "resize")]
    return lambda photo: functools.reduce(lambda x, f: f(x), steps, photo)


def preprocess(images: keras.KerasTensor, mode: str) -> keras.KerasTensor:
    """Returns `images` scaled as the weights of the base expect them.

    The arithmetic of `imagenet_utils.preprocess_input`, from Keras's own
    layers and operations, so that a saved model needs no code of ours.

    Args:
        images: Keras tensor, float32 (B, H, W, 3), RGB in [0, 255].
        mode: `caffe` (BGR, channel means subtracted), `torch` (scaled to
            [0, 1], then to zero mean and unit deviation), `tf` (to [-1, 1]),
            `rescale` (to [0, 1]), `mnist` (one channel, the mean of the three,
            scaled to zero mean and unit deviation on MNIST) or `none`.

    Returns:
        Keras tensor of the same shape, `mnist` (B, H, W, 1), and dtype.

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
    elif mode == "mnist":
        images = keras.ops.mean(images, axis=-1, keepdims=True)
        scale, offset = (
            1 / (255 * _MNIST_DEVIATION),
            -_MNIST_MEAN / _MNIST_DEVIATION,
        )
    elif mode == "rescale":
        scale, offset = 1 / 255, 0.0
    elif mode == "none":
        return images
    else:
        raise UserError(
            "`preprocess` must be auto or one of "
            f"{', '.join(PREPROCESS_MODES)}. "
            f"Received: {mode!r}"
        )
    return rescale(images, scale, offset)


def rescale(
    images: keras.KerasTensor,
    scale: float | Sequence[float],
    offset: float | Sequence[float],
) -> keras.KerasTensor:
    """Returns `images * scale + offset`, made by the layer `preprocess`."""
    return layers.Rescaling(scale, offset, name="preprocess", dtype="float32")(
        images
    )
