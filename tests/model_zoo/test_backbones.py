import inspect
import sys

import keras
import numpy as np
import pytest

from model_zoo import BACKBONES
from model_zoo.backbones import find_backbone
from model_zoo.preprocessing import preprocess
from model_zoo.request import check_request
from thaw.errors import UserError

# One or two of each family, small ones; image sizes to be quick.
FAMILIES = {
    "vgg16_tiny": 32,
    "vgg19": 32,
    "resnet50": 32,
    "resnet50v2": 32,
    "densenet121": 32,
    "inceptionv3": 75,
    "xception": 71,
    "mobilenet": 32,
    "mobilenetv2": 32,
    "mobilenetv3small": 32,
    "mobilenetv3large": 32,
    "nasnetmobile": 32,
    "efficientnetb0": 32,
    "efficientnetv2b0": 32,
    "convnexttiny": 32,
}


def test_the_table_has_every_classifier_of_keras_applications():
    constructors = {
        name
        for name, value in vars(keras.applications).items()
        if inspect.isfunction(value)
    }
    assert len(constructors) >= 38
    ours = {backbone.constructor for backbone in BACKBONES.values()}
    assert ours == constructors | {"VGG16Tiny", "SimpleCNN"}
    for name, backbone in BACKBONES.items():
        assert name.replace("_", "") == backbone.constructor.lower()


OWN = ("vgg16_tiny", "simple_cnn")


@pytest.mark.parametrize("name", [n for n in BACKBONES if n not in OWN])
def test_each_backbone_preprocesses_as_its_module_in_keras(name, images):
    constructor = getattr(keras.applications, BACKBONES[name].constructor)
    module = sys.modules[constructor.__module__]
    expected = module.preprocess_input(images.copy())
    image = keras.Input((None, None, 3))
    ours = keras.Model(image, preprocess(image, BACKBONES[name].preprocess))
    np.testing.assert_allclose(ours(images), expected, atol=1e-4)


def test_vgg16_has_the_size_of_the_classic_recipe():
    assert BACKBONES["vgg16"] == ("VGG16", "caffe", 150, "block5_conv1", 32)


def test_an_unknown_backbone_gives_near_names():
    with pytest.raises(UserError, match="Did you mean .*resnet50"):
        find_backbone("resnet5O")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_size": 20}, "too small for vgg16. Expected at least 32"),
        ({"weights": "missing.h5"}, "No weights file missing.h5"),
        ({"backbone": "missing.keras"}, "No backbone file missing.keras"),
        ({"cut_at": "fc1", "image_size": 150}, "needs `image_size=224`"),
        (
            {"backbone": "convnexttiny", "preprocess": "tf"},
            "convnexttiny preprocesses raw photos itself",
        ),
        (
            {"backbone": "vgg16_tiny", "weights": "imagenet"},
            "no ImageNet weights",
        ),
    ],
)
def test_what_cannot_be_built_is_said(change, message):
    request = {
        "backbone": "vgg16",
        "image_size": None,
        "weights": "auto",
        "preprocess": "auto",
        "unfreeze_from": None,
        "cut_at": None,
    }
    assert check_request(**request) == "block5_conv1"
    with pytest.raises(UserError, match=message):
        check_request(**{**request, **change})
