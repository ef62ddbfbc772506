import keras
import pytest

from model_zoo.backbone_table import (
    BEGIN_WITH,
    backbones_table,
    presets_table,
    read_measured,
)
from model_zoo.backbones import BACKBONES, HUB
from model_zoo.operations import multiply_adds
from model_zoo.safe_loading.hub_layers import HUB_BACKBONES
from thaw.errors import UserError
from tools.make_backbone_table import measure


def test_every_backbone_has_a_row():
    assert list(read_measured()) == list(BACKBONES)
    lines = backbones_table().splitlines()[2:]
    assert [x.split()[0] for x in lines[: len(BACKBONES)]] == list(BACKBONES)


@pytest.mark.parametrize("name", ["vgg16_tiny", "mobilenetv2", "convnexttiny"])
def test_the_numbers_are_measured(name):
    row = read_measured()[name]
    for column, value in measure(name).items():
        assert row[column] == str(value), column


def test_accuracies_are_those_of_keras_io():
    table = read_measured()
    for name, accuracy in {
        "vgg16": "71.3%", "resnet50": "74.9%", "efficientnetv2l": "85.7%",
        "convnexttiny": "", "mobilenetv3small": "", "vgg16_tiny": "",
    }.items():  # fmt: skip
        assert table[name]["imagenet_top1"] == accuracy, name


def test_multiply_adds_are_those_with_weights():
    image = keras.Input((8, 6, 4))
    x = keras.layers.Conv2D(10, 3, padding="same")(image)
    x = keras.layers.DepthwiseConv2D(3, strides=2)(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, keras.layers.Dense(5)(x))
    expected = [0, 48 * 9 * 4 * 10, 3 * 2 * 9 * 10, 0, 10 * 5]
    assert [multiply_adds(layer) for layer in model.layers] == expected
    nested = keras.Model(image, model(image))
    assert multiply_adds(nested.layers[-1]) == sum(expected)


def test_every_preset_of_the_families_is_listed():
    import keras_hub

    table = presets_table()
    for class_name in HUB_BACKBONES:
        for preset in getattr(keras_hub.models, class_name).presets:
            assert f"\n{HUB}{preset} " in table
    resnet = next(x for x in table.splitlines() if "resnet_18_" in x)
    assert resnet.split() == ["hub:resnet_18_imagenet", "11.2M", "224"]


def test_what_to_begin_with_is_in_the_tables():
    tables = {False: backbones_table(), True: presets_table()}
    for name, mark in BEGIN_WITH.items():
        lines = tables[name.startswith(HUB)].splitlines()
        (line,) = [x for x in lines if x.split()[:1] == [name]]
        assert line.removeprefix(name).strip().startswith(mark)


def test_without_kerashub_there_is_one_message(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install -e '\.\[hub\]'"):
        presets_table()
