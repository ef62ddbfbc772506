"""The base: the Keras layers of a backbone, on raw photos."""

import functools

import keras

from model_zoo import weights as weight_files
from model_zoo.backbones import (
    BACKBONES,
    SIMPLE,
    TINY,
    VGG_CLASSIFIER_SIZE,
    did_you_mean,
    is_file,
    is_hub,
    is_in_vgg_classifier,
    short_name,
)
from model_zoo.continued import open_model
from model_zoo.hub import load_preset
from model_zoo.hub_configs import complete_configs
from model_zoo.layer_names import is_name_of_ours
from model_zoo.names import reserve_names
from model_zoo.nested import layer_output, unnest_points
from model_zoo.own_model import find_own_model
from model_zoo.preprocessing import preprocess as preprocess_images
from model_zoo.preprocessing import resize_images
from model_zoo.safe_loading.load import check_outputs, load_model
from model_zoo.simple_cnn import SimpleCNN
from model_zoo.tokens import token_blocks
from model_zoo.unfreeze import base_layers, leaf_layers
from model_zoo.vgg16_tiny import VGG16Tiny
from thaw.errors import UserError, first_line


def build_base(
    backbone: str,
    *,
    image_size: int | None,
    weights: str,
    preprocess: str,
    resize: str,
    unfreeze_from: str | None,
    cut_at: str | None,
) -> keras.Model:
    """Returns the base as one flat model: raw RGB in, features out.

    The arguments are those of `build_model`, already checked by
    `request.check_request`.

    Returns:
        A functional `keras.Model` from float32 (B, any H, any W, 3) to the
        features. Its layers before the backbone's own are called `image`,
        `resize` and `preprocess`.

    Raises:
        UserError: If weights cannot be had, or a file or layer does not fit.
    """
    own = find_own_model(backbone)
    arguments = backbone, image_size, weights, preprocess, resize, cut_at
    if own is not None:
        base = open_model(own)
    elif is_file(backbone):
        base, cut_at = _build_from_file(*arguments, unfreeze_from)
    elif is_hub(backbone):
        base, cut_at = _build_from_hub(*arguments, unfreeze_from)
    else:
        base = _build_from_table(*arguments)
    features = base.outputs[0]
    if cut_at is not None:
        names = [layer.name for layer in base_layers(base)]
        if cut_at not in names:
            raise UserError(
                f"`cut_at`: {backbone} has no layer '{cut_at}' to cut at."
                f"{did_you_mean(cut_at, names)}"
            )
        features = layer_output(base, cut_at)
    if 0 in features.shape:
        raise UserError(
            f"`image_size={image_size}` is too small for {backbone}: its "
            f"output would be empty, {features.shape}. Give a larger one."
        )
    # The constructors of Keras take a list of one image, and would warn when
    # given a plain tensor.
    name = short_name(backbone) if own is None else own.name
    return keras.Model(base.inputs[0], features, name=name)


def _raw_and_preprocessed_image(image_size, resize, preprocess):
    """Returns the Keras tensors of the raw and of the preprocessed image."""
    image = keras.Input((None, None, 3), name="image", dtype="float32")
    return image, preprocess(resize_images(image, image_size, resize))


def _build_from_table(name, image_size, weights, preprocess, resize, cut_at):
    backbone = BACKBONES[name]
    if is_in_vgg_classifier(name, cut_at):
        image_size = VGG_CLASSIFIER_SIZE
    if preprocess == "auto":
        preprocess = backbone.preprocess
    own = {TINY: VGG16Tiny, SIMPLE: SimpleCNN}
    constructor = own.get(name) or getattr(
        keras.applications, backbone.constructor
    )

    def construct(include_top, weights):
        _, x = _raw_and_preprocessed_image(
            image_size or backbone.image_size,
            resize,
            functools.partial(preprocess_images, mode=preprocess),
        )
        return constructor(
            include_top=include_top, weights=weights, input_tensor=x
        )

    include_top = is_in_vgg_classifier(name, cut_at)
    if cut_at is not None and not name.startswith("vgg"):
        bare = construct(include_top=False, weights=None)
        include_top = cut_at not in [layer.name for layer in bare.layers]
    if name in own or weights not in ("auto", "imagenet"):
        base = construct(include_top, weights=None)
        if weights == "auto":
            embedded = {TINY: weight_files.EMBEDDED_VGG16_TINY, SIMPLE: "none"}
            weights = embedded[name]
        if weights != "none":
            weight_files.load_weights_file(base, weights)
        return base
    return weight_files.with_imagenet_weights(construct, name, include_top)


def _build_from_file(
    path, image_size, weights, preprocess, resize, cut_at, unfreeze_from
):
    """Returns the base, and the layer to cut it at."""
    source = _plain_base(path, load_model(path))
    source, cut_at = unnest_points(source, cut_at, unfreeze_from)
    image_size = _image_size_of_file(path, source, image_size)
    if preprocess == "auto":
        preprocess = "none"  # it has a layer for that: request.py checks it
    preprocess = functools.partial(preprocess_images, mode=preprocess)
    arguments = image_size, weights, resize, preprocess
    return _put_on_photos(path, source, *arguments), cut_at


def _build_from_hub(
    name, image_size, weights, preprocess, resize, cut_at, unfreeze_from
):
    """Returns the same."""
    backbone, own_size, own_preprocess = load_preset(name, weights, image_size)
    if preprocess != "auto":
        own_preprocess = functools.partial(preprocess_images, mode=preprocess)
    missing = [
        option
        for option, value in (
            (
                "`preprocess` (caffe, torch, tf, rescale or none)",
                own_preprocess,
            ),
            ("`image_size`", image_size or own_size),
        )
        if value is None
    ]
    if missing:
        raise UserError(
            f"{name} doesn't record its input size and preprocessing: also "
            f"give {' and '.join(missing)}."
        )
    source = _plain_base(name, backbone)
    if not token_blocks(source):  # blocks have layers of the same names
        source, cut_at = unnest_points(source, cut_at, unfreeze_from)
    arguments = image_size or own_size, weights, resize, own_preprocess
    return _put_on_photos(name, source, *arguments), cut_at


def _put_on_photos(name, source, image_size, weights, resize, preprocess):
    """Returns `source` on raw photos, with its own weights or others."""
    reserve_names(operation.name for operation in source.operations)
    image, x = _raw_and_preprocessed_image(image_size, resize, preprocess)
    for layer in leaf_layers(source):
        # Saved with float32, as a rule; not what was asked for now.
        layer.dtype_policy = keras.config.dtype_policy()

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
            f"{name} cannot be built on images of {image_size} pixels; is "
            f"`image_size` too small? ({first_line(error)})"
        ) from error
    complete_configs(base)
    check_outputs(base, name)
    if weights == "none":
        return base
    for layer in source.layers:
        if layer.weights:
            base.get_layer(layer.name).set_weights(layer.get_weights())
    for layer in leaf_layers(base):
        # Normalization computes with copies of its weights.
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()
    if weights not in ("auto", "imagenet"):
        weight_files.load_weights_file(base, weights)
    return base


def _plain_base(name, source):
    """Returns a functional model from image to tensor, with nothing of ours."""
    inputs, outputs = (
        getattr(source, side, None) or () for side in ("inputs", "outputs")
    )
    if len(inputs) != 1 or len(outputs) != 1 or inputs[0].shape[3:] != (3,):
        raise UserError(
            f"{name} is not a functional model from one RGB image to one "
            "tensor, as a backbone must be."
        )
    for layer in source.layers:
        if is_name_of_ours(layer.name) and not isinstance(
            layer, keras.layers.InputLayer
        ):
            raise UserError(
                f"{name} has a layer called '{layer.name}', a name that Thaw "
                "gives to its own layers; did Thaw save this model? Expected a "
                "base without Thaw's head and resizing."
            )
    return keras.Model(inputs[0], outputs[0], name=short_name(name))


def _image_size_of_file(path, source, image_size):
    height, width = source.inputs[0].shape[1:3]
    if height is None or width is None:
        return image_size
    if height != width or image_size not in (None, height):
        raise UserError(
            f"{path} takes images of {height}x{width} pixels. Expected that "
            f"size, and square. Received: `image_size={image_size}`"
        )
    return height
