"""The table of backbones: plain strings and numbers, no Keras needed."""

import difflib
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import NamedTuple

from thaw.errors import UserError

CLASSIC, TINY, SIMPLE = "vgg16", "vgg16_tiny", "simple_cnn"
HUB = "hub:"  # begins the name of a preset of KerasHub
WEIGHTS = ("auto", "imagenet", "none")  # or the path of a weights file
PREPROCESS_MODES = ("caffe", "torch", "tf", "rescale", "mnist", "none")
RESIZE_MODES = ("squash", "crop", "center", "pad")
POOLING_MODES = ("auto", "flatten", "avg", "max", "cls", "both")
# The classifier of VGG starts with Flatten, so it needs its training size.
VGG_CLASSIFIER_SIZE = 224


class Backbone(NamedTuple):
    """A classifier of `keras.applications`, as far as Thaw has to know it.

    `preprocess` is what its ImageNet weights were trained with; `none` means
    that the model itself preprocesses raw RGB in [0, 255]. `last_block` is the
    first layer of its last block, the default unfreeze point; where the layers
    of the block have no fixed names (Inception, NASNet), it is the
    concatenation right before it.
    """

    constructor: str  # in keras.applications, or of model_zoo
    preprocess: str  # caffe, torch, tf or none
    image_size: int  # pixels a side
    last_block: str  # layer name
    min_image_size: int = 32  # pixels a side


# By family; in a family from small to large.
BACKBONES = {
    "convnexttiny": Backbone(
        "ConvNeXtTiny", "none", 224, "convnext_tiny_downsampling_block_2"
    ),
    "convnextsmall": Backbone(
        "ConvNeXtSmall", "none", 224, "convnext_small_downsampling_block_2"
    ),
    "convnextbase": Backbone(
        "ConvNeXtBase", "none", 224, "convnext_base_downsampling_block_2"
    ),
    "convnextlarge": Backbone(
        "ConvNeXtLarge", "none", 224, "convnext_large_downsampling_block_2"
    ),
    "convnextxlarge": Backbone(
        "ConvNeXtXLarge", "none", 224, "convnext_xlarge_downsampling_block_2"
    ),
    "densenet121": Backbone("DenseNet121", "torch", 224, "conv5_block1_0_bn"),
    "densenet169": Backbone("DenseNet169", "torch", 224, "conv5_block1_0_bn"),
    "densenet201": Backbone("DenseNet201", "torch", 224, "conv5_block1_0_bn"),
    "efficientnetb0": Backbone(
        "EfficientNetB0", "none", 224, "block7a_expand_conv"
    ),
    "efficientnetb1": Backbone(
        "EfficientNetB1", "none", 240, "block7a_expand_conv"
    ),
    "efficientnetb2": Backbone(
        "EfficientNetB2", "none", 260, "block7a_expand_conv"
    ),
    "efficientnetb3": Backbone(
        "EfficientNetB3", "none", 300, "block7a_expand_conv"
    ),
    "efficientnetb4": Backbone(
        "EfficientNetB4", "none", 380, "block7a_expand_conv"
    ),
    "efficientnetb5": Backbone(
        "EfficientNetB5", "none", 456, "block7a_expand_conv"
    ),
    "efficientnetb6": Backbone(
        "EfficientNetB6", "none", 528, "block7a_expand_conv"
    ),
    "efficientnetb7": Backbone(
        "EfficientNetB7", "none", 600, "block7a_expand_conv"
    ),
    "efficientnetv2b0": Backbone(
        "EfficientNetV2B0", "none", 224, "block6a_expand_conv"
    ),
    "efficientnetv2b1": Backbone(
        "EfficientNetV2B1", "none", 240, "block6a_expand_conv"
    ),
    "efficientnetv2b2": Backbone(
        "EfficientNetV2B2", "none", 260, "block6a_expand_conv"
    ),
    "efficientnetv2b3": Backbone(
        "EfficientNetV2B3", "none", 300, "block6a_expand_conv"
    ),
    "efficientnetv2s": Backbone(
        "EfficientNetV2S", "none", 384, "block6a_expand_conv"
    ),
    "efficientnetv2m": Backbone(
        "EfficientNetV2M", "none", 480, "block7a_expand_conv"
    ),
    "efficientnetv2l": Backbone(
        "EfficientNetV2L", "none", 480, "block7a_expand_conv"
    ),
    "inceptionv3": Backbone("InceptionV3", "tf", 299, "mixed8", 75),
    "inceptionresnetv2": Backbone(
        "InceptionResNetV2", "tf", 299, "mixed_7a", 75
    ),
    "mobilenet": Backbone("MobileNet", "tf", 224, "conv_dw_12"),
    "mobilenetv2": Backbone("MobileNetV2", "tf", 224, "block_13_expand"),
    "mobilenetv3small": Backbone(
        "MobileNetV3Small", "none", 224, "expanded_conv_8_expand"
    ),
    "mobilenetv3large": Backbone(
        "MobileNetV3Large", "none", 224, "expanded_conv_12_expand"
    ),
    "nasnetmobile": Backbone("NASNetMobile", "tf", 224, "normal_concat_11"),
    "nasnetlarge": Backbone("NASNetLarge", "tf", 331, "normal_concat_17"),
    "resnet50": Backbone("ResNet50", "caffe", 224, "conv5_block1_1_conv"),
    "resnet101": Backbone("ResNet101", "caffe", 224, "conv5_block1_1_conv"),
    "resnet152": Backbone("ResNet152", "caffe", 224, "conv5_block1_1_conv"),
    "resnet50v2": Backbone("ResNet50V2", "tf", 224, "conv5_block1_preact_bn"),
    "resnet101v2": Backbone("ResNet101V2", "tf", 224, "conv5_block1_preact_bn"),
    "resnet152v2": Backbone("ResNet152V2", "tf", 224, "conv5_block1_preact_bn"),
    "simple_cnn": Backbone("SimpleCNN", "rescale", 28, "conv1", 28),
    "vgg16": Backbone("VGG16", "caffe", 150, "block5_conv1"),
    "vgg19": Backbone("VGG19", "caffe", 224, "block5_conv1"),
    "vgg16_tiny": Backbone("VGG16Tiny", "caffe", 150, "block5_conv1"),
    "xception": Backbone("Xception", "tf", 299, "block14_sepconv1", 71),
}


def is_file(backbone: str) -> bool:
    """Returns whether `backbone` is meant as a `.keras` file, not a name."""
    return str(backbone).endswith(".keras")


def is_hub(backbone: str) -> bool:
    """Returns whether `backbone` is meant as a preset of KerasHub."""
    return str(backbone).startswith(HUB)


def is_classifier_preset(backbone: str) -> bool:
    """Returns whether the folder of a preset holds a whole classifier."""
    folder = PurePath(str(backbone).removeprefix(HUB))
    return is_hub(backbone) and Path(folder, "task.json").is_file()


def short_name(backbone: str) -> str:
    """Returns `backbone` without folders, ending and `hub:`."""
    path = PurePath(str(backbone).removeprefix(HUB))
    is_run = not is_file(backbone) and not is_hub(backbone)
    return path.name if is_run else path.stem


def find_backbone(name: str) -> Backbone:
    """Returns the `Backbone` called `name`.

    Raises:
        UserError: If there is none; the nearest names are in the message.
    """
    if name in BACKBONES:
        return BACKBONES[name]
    raise UserError(
        f"Unknown backbone '{name}'.{did_you_mean(name.lower(), BACKBONES)} "
        "Expected a name of the table (see: python train.py --list_backbones), "
        "the path of a .keras file, or hub:PRESET."
    )


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Returns ' Did you mean A, B or C?', the three names nearest to `name`."""
    near = difflib.get_close_matches(name, list(names), n=3, cutoff=0.0)
    if not near:
        return ""
    return (
        " Did you mean "
        + " or ".join(filter(None, (", ".join(near[:-1]), near[-1])))
        + "?"
    )


def is_in_vgg_classifier(backbone: str, layer_name: str | None) -> bool:
    """Returns whether a layer belongs to the Dense layers on top of a VGG."""
    return backbone in ("vgg16", "vgg19") and layer_name in (
        "flatten",
        "fc1",
        "fc2",
        "predictions",
    )
