"""Builds the base: the Keras layers of a backbone, on raw photos."""

from pathlib import Path

import keras

from errors import UserError
from model_zoo import backbones, weights
from model_zoo.backbones import did_you_mean
from model_zoo.preprocessing import (
    PREPROCESS_MODES,
    preprocess,
    resizing_layer,
)
from model_zoo.vgg16_tiny import VGG16Tiny

# The classifier of VGG starts with Flatten, so it needs its training size.
_VGG_CLASSIFIER_SIZE = 224
_VGG_CLASSIFIER = ("flatten", "fc1", "fc2", "predictions")


def build_base(
    backbone, *, image_size, weights_from, preprocess_mode, resize, cut_at
):
    """Returns the base as one flat model: raw RGB in, features out.

    Args:
        backbone: Name in `BACKBONES`, or path of a `.keras` file.
        image_size: Pixels a side, or None for what the table or file says.
        weights_from: `auto`, `imagenet`, `none` or the path of a weights file.
        preprocess_mode: `auto` or one of `PREPROCESS_MODES`.
        resize: One of `RESIZE_MODES`.
        cut_at: Name of the layer to end with, or None.

    Returns:
        A functional `keras.Model` from float32 (B, any H, any W, 3) to the
        features. Its layers before the backbone's own are called `image`,
        `resize` and `preprocess`.

    Raises:
        UserError: If anything asked for is unknown, missing or does not fit.
    """
    if backbones.is_file(backbone):
        build = _build_from_file
    else:
        build = _build_from_table
    base = build(
        backbone, image_size, weights_from, preprocess_mode, resize, cut_at
    )
    features = base.output
    if cut_at is not None:
        names = [layer.name for layer in base.layers]
        if cut_at not in names:
            raise UserError(
                f"{backbone} has no layer '{cut_at}' to cut at."
                f"{did_you_mean(cut_at, names)}"
            )
        features = base.get_layer(cut_at).output
    if 0 in features.shape:
        raise UserError(
            f"image_size {image_size} is too small for {backbone}: nothing is "
            f"left of the image at its end {features.shape}. Take a larger one."
        )
    # The constructors of Keras take a list of one image, and would warn when
    # given a plain tensor.
    return keras.Model(base.inputs[0], features, name=base.name)


def _image_and_preprocessed(image_size, mode, resize):
    """Returns (raw image, image resized and preprocessed), Keras tensors."""
    image = keras.Input((None, None, 3), name="image")
    return image, preprocess(
        resizing_layer(image_size, resize, name="resize")(image), mode
    )


def _build_from_table(
    name, image_size, weights_from, preprocess_mode, resize, cut_at
):
    backbone = backbones.find_backbone(name)
    tiny = name == "vgg16_tiny"
    with_classifier = cut_at is not None and _is_in_classifier(name, cut_at)
    if with_classifier and name.startswith("vgg"):
        if image_size not in (None, _VGG_CLASSIFIER_SIZE):
            raise UserError(
                f"The layer '{cut_at}' of {name} needs image_size "
                f"{_VGG_CLASSIFIER_SIZE}. Received: {image_size}"
            )
        image_size = _VGG_CLASSIFIER_SIZE
    image_size = image_size or backbone.image_size
    if image_size < backbone.min_image_size:
        raise UserError(
            f"image_size {image_size} is too small for {name}. Expected at "
            f"least {backbone.min_image_size}."
        )
    if preprocess_mode not in ("auto", *PREPROCESS_MODES):
        preprocess(None, preprocess_mode)  # raises the message for it
    if preprocess_mode == "auto":
        preprocess_mode = backbone.preprocess
    elif backbone.preprocess == "none" != preprocess_mode:
        raise UserError(
            f"{name} preprocesses raw photos itself, so preprocess must be "
            f"auto or none. Received: {preprocess_mode!r}"
        )
    if tiny and weights_from == "imagenet":
        raise UserError(
            "vgg16_tiny has no ImageNet weights. Take --weights=auto (its "
            "embedded ones, trained on drawn things), none or a file."
        )

    constructor = (
        VGG16Tiny if tiny else getattr(keras.applications, backbone.constructor)
    )
    imagenet = not tiny and weights_from in ("auto", "imagenet")
    _, x = _image_and_preprocessed(image_size, preprocess_mode, resize)
    try:
        base = constructor(
            include_top=with_classifier,
            weights="imagenet" if imagenet else None,
            input_tensor=x,
        )
    except Exception as error:
        # Keras raises a bare Exception when a download fails
        # (keras/src/utils/file_utils.py, get_file).
        if imagenet and (type(error) is Exception or isinstance(error, OSError)):
            raise weights.imagenet_weights_error(name, error) from error
        raise
    if tiny and weights_from == "auto":
        weights.load_weights_file(base, weights.EMBEDDED_VGG16_TINY)
    elif weights_from not in ("auto", "imagenet", "none"):
        weights.load_weights_file(base, weights_from)
    return base


def _is_in_classifier(name, layer_name):
    """Returns whether a layer is only there with the classifier on top."""
    if name in ("vgg16", "vgg19"):
        return layer_name in _VGG_CLASSIFIER
    # The names that the other constructors of keras.applications use.
    return layer_name in ("avg_pool", "predictions", "top_dropout", "head_gap")


def _build_from_file(
    path, image_size, weights_from, preprocess_mode, resize, cut_at
):
    del cut_at  # the layers of a file are all there
    source = _load_base_file(path)
    if preprocess_mode == "auto":
        raise UserError(
            f"{path} does not say how its photos are preprocessed. Give "
            "--preprocess=caffe, torch, tf, rescale or none."
        )
    height, width, channels = source.input.shape[1:]
    if channels != 3:
        raise UserError(
            f"{path} takes images with {channels} channels. Expected 3 (RGB)."
        )
    if height is None or width is None:
        if image_size is None:
            raise UserError(
                f"{path} takes images of any size. Give --image_size, the "
                "size it was trained with."
            )
    elif height != width or image_size not in (None, height):
        raise UserError(
            f"{path} takes images of {height}x{width} pixels; they must be "
            f"square and the size asked for. Received: image_size={image_size}"
        )
    else:
        image_size = height

    image, x = _image_and_preprocessed(image_size, preprocess_mode, resize)

    def call_on_preprocessed(operation, *args, **kwargs):
        # clone_model starts at `image`; the backbone's own layers start at x.
        args = [x if argument is image else argument for argument in args]
        return operation(*args, **kwargs)

    try:
        base = keras.models.clone_model(
            source, input_tensors=image, call_function=call_on_preprocessed
        )
    except ValueError as error:
        raise UserError(
            f"{path} cannot be built on images of {image_size} pixels; is "
            f"image_size too small? ({str(error).splitlines()[0]})"
        ) from error
    if weights_from == "none":
        return base
    for layer in source.layers:
        if layer.weights:
            base.get_layer(layer.name).set_weights(layer.get_weights())
    if weights_from not in ("auto", "imagenet"):
        weights.load_weights_file(base, weights_from)
    return base


def _load_base_file(path):
    """Returns the functional model in a `.keras` file with one image input."""
    if not Path(path).is_file():
        raise UserError(f"No backbone file {path}.")
    try:
        source = keras.saving.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"Cannot open {path} as a Keras model: "
            f"{str(error).strip().splitlines()[0][:200]} Expected a .keras "
            "file saved by Keras 3, made of Keras's own layers."
        ) from error
    if isinstance(source, keras.Sequential):
        source = keras.Model(source.inputs, source.outputs, name=source.name)
    if (
        not hasattr(source, "operations")
        or len(source.inputs) != 1
        or len(source.outputs) != 1
        or len(source.inputs[0].shape) != 4
    ):
        raise UserError(
            f"{path} is not a functional model from one image to one tensor."
        )
    return source
