import h5py
import keras
import numpy as np
import pytest
from keras.src.applications import mobilenet_v2, vgg16
from keras.src.legacy.saving import legacy_h5_format

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


@pytest.fixture
def keras_cache(monkeypatch, tmp_path):
    """A folder for downloads, which is empty, and one to download from."""
    cache, source = tmp_path / "keras", tmp_path / "source"
    cache.mkdir()
    source.mkdir()
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(cache))
    return source


def test_imagenet_weights_are_downloaded_once(keras_cache, monkeypatch, capsys):
    name = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"
    base = keras.applications.MobileNetV2(include_top=False, weights=None)
    with h5py.File(keras_cache / name, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, base)
    address = f"{keras_cache.as_uri()}/"
    monkeypatch.setattr(mobilenet_v2, "BASE_WEIGHT_PATH", address)
    size = (keras_cache / name).stat().st_size
    capsys.readouterr()
    for is_first in (True, False):
        model = build_model("mobilenetv2")
        conv = model.get_layer("Conv_1").get_weights()[0]
        np.testing.assert_array_equal(
            conv, base.get_layer("Conv_1").get_weights()[0]
        )
        printed = capsys.readouterr().out
        bar = f"{size}/{size}" in printed
        assert ("Downloading data" in printed) == bar == is_first
        (keras_cache / name).unlink(missing_ok=True)


def test_imagenet_weights_with_another_hash_are_refused(
    keras_cache, monkeypatch
):
    path = keras_cache / "vgg16.h5"
    path.write_bytes(b"not these")
    monkeypatch.setattr(vgg16, "WEIGHTS_PATH_NO_TOP", path.as_uri())
    with pytest.raises(UserError, match="cannot be downloaded .*corrupted"):
        build_model("vgg16")
