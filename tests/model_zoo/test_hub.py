import importlib.util
import json
import shutil
import zipfile

import h5py
import keras
import numpy as np
import pytest

from model_zoo import build_model, listing
from model_zoo.backbones import is_classifier_preset
from tests.support.presets import save_preset
from thaw.errors import UserError


def test_it_computes_what_kerashub_does(hub_preset, images):
    import keras_hub

    model = build_model(f"hub:{hub_preset}", unfreeze_from="all", dropout=0)
    backbone = keras_hub.models.Backbone.from_preset(str(hub_preset))
    resized = np.array(keras.layers.Resizing(64, 64)(images))
    converter = keras_hub.layers.ImageConverter.from_preset(str(hub_preset))
    expected = backbone(converter(resized))
    features = keras.Model(model.input, model.get_layer("head_avg").input)
    np.testing.assert_allclose(features(images), expected, rtol=1e-3, atol=1e-4)
    assert model.get_layer("resize").height == 64


def test_what_it_saves_opens_without_kerashub(hub_preset, images, tmp_path):
    model = build_model(f"hub:{hub_preset}", unfreeze_from="all")
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        assert b"keras_hub" not in archive.read("config.json")
    opened = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(opened(images), model(images))


def test_a_preset_that_does_not_say_how_it_takes_photos(hub_preset, tmp_path):
    folder = tmp_path / "preset"
    shutil.copytree(hub_preset, folder)
    (folder / "image_converter.json").unlink()
    with pytest.raises(UserError, match="`preprocess` .* and `image_size`"):
        build_model(f"hub:{folder}", unfreeze_from="all")
    assert "conv1_conv" in listing.list_layers(
        backbone=f"hub:{folder}",
        image_size=None,
        preprocess="auto",
        unfreeze_from=None,
        cut_at=None,
        train_batch_norm=False,
    )
    model = build_model(
        f"hub:{folder}", unfreeze_from="all", preprocess="torch", image_size=32
    )
    assert model.get_layer("resize").height == 32


def test_a_preset_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match="Cannot load the KerasHub preset"):
        build_model(f"hub:{tmp_path}/nothing", unfreeze_from="all")


def test_a_preset_whose_name_is_misspelt():
    with pytest.raises(UserError, match=r"Did you mean resnet_18_imagenet"):
        build_model("hub:resnet18_imagenet", unfreeze_from="all")


def test_without_a_network_there_are_three_ways_out(monkeypatch, tmp_path):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path))
    with pytest.raises(UserError) as error:
        build_model("hub:resnet_18_imagenet", unfreeze_from="all")
    message = str(error.value)
    for way_out in ("connect", "save_to_preset", "weights are here"):
        assert way_out in message


def test_a_preset_for_oblong_photos_has_no_size_of_its_own(
    hub_preset, tmp_path
):
    folder = tmp_path / "preset"
    shutil.copytree(hub_preset, folder)
    path = folder / "image_converter.json"
    config = json.loads(path.read_text())
    config["config"]["image_size"] = [64, 48]
    path.write_text(json.dumps(config))
    with pytest.raises(UserError, match="also give `image_size`"):
        build_model(f"hub:{folder}", unfreeze_from="all")


@pytest.mark.parametrize(
    ("name", "changed", "message"),
    [
        ("config.json", {"registered_name": "evil>Evil"}, "KerasHub's own"),
        ("config.json", {"module": "evil"}, "KerasHub's own"),
        ("config.json", {"class_name": "StringLookup"}, "KerasHub's own"),
        (
            "config.json",
            {
                "class_name": "BertBackbone",
                "registered_name": "keras_hub>BertBackbone",
            },
            "'BertBackbone' is not among the image backbones",
        ),
        (
            "config.json",
            {"config": {"dtype": {"class_name": "__lambda__", "config": {}}}},
            "'__lambda__'",
        ),
        (
            "config.json",
            {"config": {"stackwise_num_blocks": [1 << 19]}},
            "'stackwise_num_blocks' is 524288",
        ),
        (
            "config.json",
            {"config": {"stackwise_num_filters": [64, 8, 16, 1 << 18]}},
            "ask for .* weights, and",
        ),
        (
            "image_converter.json",
            {"registered_name": "evil>Evil"},
            "KerasHub's own",
        ),
    ],
)
def test_presets_of_others_are_checked(
    hub_preset, tmp_path, name, changed, message
):
    folder = tmp_path / "preset"
    shutil.copytree(hub_preset, folder)
    content = json.loads((folder / name).read_text())
    changed = {
        **changed,
        "config": content["config"] | changed.get("config", {}),
    }
    (folder / name).write_text(json.dumps(content | changed))
    with pytest.raises(UserError, match=message):
        build_model(f"hub:{folder}", unfreeze_from="all")


def test_the_weights_of_a_preset_are_checked(hub_preset, tmp_path):
    folder = tmp_path / "preset"
    shutil.copytree(hub_preset, folder)
    with h5py.File(folder / "model.weights.h5", "a") as file:
        file["x"] = h5py.ExternalLink("/etc/passwd", "/")
    with pytest.raises(UserError, match="link to somewhere else"):
        build_model(f"hub:{folder}", unfreeze_from="all")


def test_of_a_classifier_the_backbone_is_taken(tmp_path, images):
    import keras_hub

    folder = tmp_path / "preset"
    backbone = save_preset(folder, "VGG")
    assert not is_classifier_preset(f"hub:{folder}")
    expected = build_model(f"hub:{folder}", unfreeze_from="all", dropout=0)
    keras_hub.models.ImageClassifier.from_preset(
        str(folder), num_classes=7
    ).save_to_preset(str(folder))
    assert is_classifier_preset(f"hub:{folder}") and backbone.built
    model = build_model(f"hub:{folder}", unfreeze_from="all", dropout=0)
    assert model.get_layer("block3_conv1").get_weights()[1].any()
    for name in ("block1_conv1", "block3_conv1"):
        np.testing.assert_array_equal(
            model.get_layer(name).kernel, expected.get_layer(name).kernel
        )


def test_weights_that_the_memory_cannot_hold(hub_preset, monkeypatch):
    monkeypatch.setattr("model_zoo.hub._BYTES", 1 << 40)
    with pytest.raises(UserError, match="GB of memory, and .* are available"):
        build_model(f"hub:{hub_preset}", unfreeze_from="all")


def test_an_unfreeze_point_is_needed(hub_preset):
    with pytest.raises(UserError, match="unfreeze_from"):
        build_model(f"hub:{hub_preset}")


def test_backbones_that_no_classifier_has_are_refused(tmp_path):
    import keras_hub

    keras_hub.models.ViTDetBackbone(
        image_shape=(16, 16, 3),
        patch_size=8,
        num_layers=1,
        num_heads=1,
        hidden_size=4,
        intermediate_dim=4,
        global_attention_layer_indices=[0],
        num_output_channels=4,
        window_size=2,
    ).save_to_preset(str(tmp_path / "vit_det"))
    with pytest.raises(UserError, match="'ViTDetBackbone' is not among"):
        build_model(f"hub:{tmp_path}/vit_det", unfreeze_from="all")


def test_a_preset_of_a_newer_kerashub(hub_preset, tmp_path):
    folder = tmp_path / "preset"
    shutil.copytree(hub_preset, folder)
    for name, key, value in (
        ("metadata.json", "keras_hub_version", "99.1.0"),
        ("config.json", "config", {"block_type": "new_block"}),
    ):
        content = json.loads((folder / name).read_text())
        if key == "config":
            value = content[key] | value
        (folder / name).write_text(json.dumps(content | {key: value}))
    with pytest.raises(UserError, match="99.1.0, here is .* pip install -U"):
        build_model(f"hub:{folder}", unfreeze_from="all")


def test_without_the_package_the_line_to_install_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install -e '\.\[hub\]'"):
        build_model("hub:resnet_18_imagenet", unfreeze_from="all")
