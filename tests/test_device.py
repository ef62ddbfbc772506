import keras
import numpy as np
import pytest
import tensorflow as tf

from model_zoo import build_model
from model_zoo.vgg16_tiny import VGG16Tiny
from thaw import device
from thaw.errors import UserError


@pytest.fixture
def cpu(monkeypatch):
    """Function that sets what the processor can do; float32 afterwards."""
    monkeypatch.setattr(
        tf.config, "list_physical_devices", lambda kind=None: []
    )
    yield lambda *can: monkeypatch.setattr(device, "_cpu_flags", lambda: can)
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(
    "capability, precision, message",
    [
        ((6, 1), "mixed_float16", "no units for half precision"),
        ((7, 5), "mixed_float16", None),
        ((7, 5), "mixed_bfloat16", "--precision=mixed_float16 only"),
        ((8, 0), "mixed_bfloat16", None),
    ],
)
def test_what_gpus_gain_from(monkeypatch, capability, precision, message):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [0])
    monkeypatch.setattr(
        tf.config.experimental,
        "get_device_details",
        lambda gpu: {"compute_capability": capability},
    )
    reason = device._why_slow(precision)
    assert reason is None if message is None else message in reason


@pytest.mark.parametrize(
    "can, precision, message",
    [
        (["avx2"], "mixed_bfloat16", "no units for half precision"),
        (["avx2"], "mixed_float16", "no units for half precision"),
        (["amx_bf16"], "mixed_float16", "--precision=mixed_bfloat16 only"),
    ],
)
def test_precision_that_gains_nothing_is_refused(cpu, can, precision, message):
    cpu(*can)
    with pytest.raises(UserError, match=message):
        device.set_precision(precision)
    assert keras.config.dtype_policy().name == "float32"


def test_half_precision_leaves_pixels_weights_and_predictions_alone(
    cpu, images, tmp_path
):
    VGG16Tiny().save(tmp_path / "base.keras")
    cpu("amx_bf16")
    device.set_precision("mixed_bfloat16")
    arguments = {"preprocess": "caffe", "image_size": 48}
    for backbone in ("vgg16_tiny", str(tmp_path / "base.keras")):
        model = build_model(
            backbone, weights="auto", unfreeze_from="block5_conv1", **arguments
        )
        dtypes = {x.name: x.compute_dtype for x in model.layers}
        assert dtypes["block1_conv1"] == "bfloat16"
        assert dtypes["resize"] == dtypes["preprocess"] == "float32"
        assert {x.dtype for x in model.weights} == {"float32"}
        assert model.output.dtype == "float32"
        assert np.isfinite(model(images)).all()
