import keras
import numpy as np
import pytest

from model_zoo import build_model
from model_zoo.vgg16_tiny import VGG16Tiny
from thaw.errors import UserError


def test_a_weights_file_of_the_bare_base_fits(tmp_path, images):
    base = VGG16Tiny()
    expected = build_model("vgg16_tiny", weights="none")
    for layer in base.layers[1:]:
        layer.set_weights(expected.get_layer(layer.name).get_weights())
    base.save_weights(tmp_path / "base.weights.h5")
    model = build_model("vgg16_tiny", weights=str(tmp_path / "base.weights.h5"))
    for layer in base.layers[1:]:
        for ours, theirs in zip(
            model.get_layer(layer.name).get_weights(),
            layer.get_weights(),
            strict=True,
        ):
            np.testing.assert_array_equal(ours, theirs)


def test_efficientnet_sees_the_right_colours_with_a_weights_file(
    tmp_path, images
):
    base = keras.applications.EfficientNetB0(include_top=False, weights=None)
    norm = next(x for x in base.layers if x.name.startswith("normalization"))
    # What Keras's ImageNet file holds: deviations in the place of variances.
    mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    norm.set_weights([np.array(mean), np.array(deviation), np.array(0)])
    base.save_weights(tmp_path / "b0.weights.h5")
    model = build_model(
        "efficientnetb0",
        weights=str(tmp_path / "b0.weights.h5"),
        image_size=64,
    )
    norm = next(x for x in model.layers if x.name.startswith("normalization"))
    seen = keras.Model(model.input, norm.output)(images)
    resized = np.array(keras.layers.Resizing(64, 64)(images))
    np.testing.assert_allclose(
        seen, (resized / 255 - mean) / deviation, atol=1e-4
    )


def test_weights_that_do_not_fit_or_cannot_be_read(tmp_path):
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    other.save_weights(tmp_path / "other.weights.h5")
    (tmp_path / "broken.h5").write_bytes(b"not HDF5")
    (tmp_path / "model.txt").write_bytes(b"text")
    for name, message in [
        ("other.weights.h5", "do not fit vgg16_tiny"),
        ("broken.h5", "Cannot read the weights file"),
        ("model.txt", "not a weights file"),
    ]:
        with pytest.raises(UserError, match=message):
            build_model("vgg16_tiny", weights=str(tmp_path / name))


def test_imagenet_weights_that_cannot_be_had_are_never_replaced(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # no network
    with pytest.raises(UserError) as error:
        build_model("vgg16")
    message = str(error.value)
    for way_out in ("connect", "`weights=FILE`", "`weights=none`"):
        assert way_out in message
