from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from model_zoo import build_model
from model_zoo.vgg16_tiny import VGG16Tiny
from thaw import device


@pytest.mark.parametrize(
    "capability, precision, is_faster",
    [
        ((6, 1), "mixed_float16", False),
        ((7, 5), "mixed_float16", True),
        ((7, 5), "mixed_bfloat16", False),
        ((8, 0), "mixed_bfloat16", True),
    ],
)
def test_precision_that_a_gpu_gains_nothing_from_is_warned_of(
    monkeypatch, capsys, capability, precision, is_faster
):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [0])
    monkeypatch.setattr(
        tf.config.experimental,
        "get_device_details",
        lambda gpu: {"compute_capability": capability},
    )
    with device.dtype_policy(precision):
        assert keras.config.dtype_policy().name == precision
    assert keras.config.dtype_policy().name == "float32"
    is_warned = f"`precision={precision}` is slower" in capsys.readouterr().err
    assert is_warned != is_faster


def test_float16_on_a_cpu_is_warned_of(monkeypatch, capsys):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    with pytest.raises(KeyError), device.dtype_policy("mixed_float16"):
        raise KeyError
    assert keras.config.dtype_policy().name == "float32"
    assert "slower than float32" in capsys.readouterr().err


def test_half_precision_leaves_pixels_weights_and_predictions_alone(
    images, tmp_path
):
    VGG16Tiny().save(tmp_path / "base.keras")
    arguments = {"preprocess": "caffe", "image_size": 48}
    with device.dtype_policy("mixed_bfloat16"):
        for backbone in ("vgg16_tiny", str(tmp_path / "base.keras")):
            model = build_model(
                backbone,
                weights="auto",
                unfreeze_from="block5_conv1",
                **arguments,
            )
            dtypes = {x.name: x.compute_dtype for x in model.layers}
            assert dtypes["block1_conv1"] == "bfloat16"
            assert dtypes["resize"] == dtypes["preprocess"] == "float32"
            assert {x.dtype for x in model.weights} == {"float32"}
            assert model.output.dtype == "float32"
            assert np.isfinite(model(images)).all()


def test_a_gpu_in_use_stays_as_it_is(monkeypatch):
    def refuse(gpu, value):
        raise RuntimeError("Physical devices cannot be modified")

    gpu = SimpleNamespace(name="GPU:0")
    monkeypatch.setattr(
        tf.config, "list_physical_devices", lambda kind=None: [gpu]
    )
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", refuse)
    monkeypatch.setattr(
        tf.config.experimental,
        "get_device_details",
        lambda gpu: {"device_name": "L4"},
    )
    assert device.prepare_device() == "GPU (L4)"
