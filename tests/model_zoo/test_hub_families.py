"""Each family of KerasHub's image backbones, in small, with random weights."""

import keras
import numpy as np
import pytest

from model_zoo import build_model
from model_zoo.boundary import boundary_tensors, split
from model_zoo.nested import layer_output
from model_zoo.safe_loading.load import check_whole_model, load_model
from model_zoo.unfreeze import base_layers, block_starts, unfreeze
from tests.support.presets import OTHERS, SIZE
from tests.support.training import train
from thaw.errors import UserError
from thaw.inference.grad_cam import grad_cam


def build(folder, **options):
    options = {"unfreeze_from": "none", "dropout": 0, **options}
    return build_model(f"hub:{folder}", **options)


# Keras traces windows for seconds.
SWIN = pytest.param("Swin", marks=pytest.mark.slow)


@pytest.mark.parametrize("family", [SWIN if x == "Swin" else x for x in OTHERS])
def test_it_computes_what_kerashub_does_and_opens_again(
    small_preset, images, family, tmp_path
):
    folder, backbone = small_preset(family)
    model = build(folder)
    layers = base_layers(model)
    pixels = model.get_layer("preprocess").output
    features = layer_output(model, layers[-1].name)
    both = keras.Model(model.input, [pixels, features])
    pixels, features = both(images, training=False)
    inputs = pixels if len(backbone.inputs) == 1 else {"images": pixels}
    expected = backbone(inputs, training=False)
    if isinstance(expected, dict):  # HGNetV2's maps, the last of which count
        expected = [*expected.values()][-1]
    np.testing.assert_array_equal(features, expected)
    expected = model(images, training=False)
    for layer in (layers[1], layers[len(layers) // 2], layers[-1]):
        frozen, trained = split(model, layer)
        assert all(None not in x.shape[1:] for x in frozen.outputs)
        found = trained(frozen(images, training=False), training=False)
        np.testing.assert_array_equal(found, expected)
    model.save(tmp_path / "model.keras")
    opened = load_model(tmp_path / "model.keras")
    assert check_whole_model(opened, "model.keras") == 2 and block_starts(
        opened
    )
    np.testing.assert_array_equal(opened(images, training=False), expected)


def test_a_block_begins_where_tokens_become_fewer(small_preset):
    model = build(small_preset("MiT")[0])
    assert block_starts(model) == ["patch_and_embed_0", "patch_and_embed_1"]


@pytest.mark.parametrize("family", ["EfficientNet", "HGNetV2", "MobileNet"])
def test_batch_norms_inside_blocks_stay_frozen(small_preset, family):
    model = build(small_preset(family)[0])
    last = base_layers(model)[2]
    for trains in (False, True):
        unfreeze(model, last.name, train_batch_norm=trains)
        inside = [
            norm
            for layer in base_layers(model)[2:]
            for norm in layer._flatten_layers()
            if isinstance(norm, keras.layers.BatchNormalization)
        ]
        assert inside and all(norm.trainable == trains for norm in inside)
    unfreeze(model, "none", train_batch_norm=True)
    assert not any(norm.trainable for norm in inside)


@pytest.mark.parametrize("family", ["MiT", SWIN, "SigLIP"])
def test_another_size_than_that_of_the_preset(small_preset, images, family):
    folder, _ = small_preset(family)
    model = build(folder, image_size=64, unfreeze_from="all")
    assert model(images).shape == (4, 1)
    inner = base_layers(model)[1]
    (tokens,) = boundary_tensors(model, inner)
    assert (
        keras.Model(model.input, tokens)(images).shape[1:] == (tokens.shape[1:])
    )
    if family == "SigLIP":
        with pytest.raises(UserError, match="multiple of 8. Received: 34"):
            build(folder, image_size=34)


@pytest.mark.parametrize("family", ["ViT", "HGNetV2", "EfficientNet"])
def test_half_precision(small_preset, images, family, tmp_path):
    folder, _ = small_preset(family)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        if family == "EfficientNet":
            with pytest.raises(UserError, match="`precision`.* mixed_bfloat16"):
                build(folder)
            return
        model = build(folder)
        model.save(tmp_path / "model.keras")
        expected = model(images, training=False)
    finally:
        keras.config.set_dtype_policy("float32")
    opened = load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(opened(images, training=False), expected)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["ViT", "MiT", "MobileNet", "MobileNetV5"])
def test_it_trains_and_searches(small_preset, drawn_photos, family, tmp_path):
    training = train(
        tmp_path / "run",
        data=str(drawn_photos),
        backbone=f"hub:{small_preset(family)[0]}",
        unfreeze_from="auto",
        trials=3,
        epochs=1,
        validation_fraction=0.1,
    )
    assert np.isfinite(training.history.epochs[-1]["val_loss"])
    path = training.best.save()
    photos = np.random.default_rng(0).uniform(0, 255, (2, SIZE, SIZE, 3))
    training.best.put_weights_back()
    np.testing.assert_array_equal(
        load_model(path)(photos, training=False),
        training.model(photos, training=False),
    )
    heat = grad_cam(training.model, photos.astype("float32"), np.array([0, 1]))
    assert heat.ndim == 3 and np.isfinite(heat).all()
