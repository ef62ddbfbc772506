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


@pytest.mark.parametrize(
    "half, full, warnings",
    [
        (0.031, 0.014, 1),
        (0.014, 0.031, 0),
    ],
)
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_precision_that_a_cpu_loses_by_is_warned_of_with_both_times(
    monkeypatch, capsys, dtype, half, full, warnings
):
    seconds = {dtype: half, "float32": full}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    monkeypatch.setattr(
        device, "time_convolution", lambda names: [seconds[x] for x in names]
    )
    with pytest.raises(KeyError), device.dtype_policy(f"mixed_{dtype}"):
        raise KeyError
    assert keras.config.dtype_policy().name == "float32"
    assert (
        capsys.readouterr().err.count(
            f"`precision=mixed_{dtype}` is slower than float32 on this CPU: 31 "
            "against 14 ms for a 3x3 convolution (128 channels), forward and "
            "backward."
        )
        == warnings
    )


def test_nothing_is_timed_for_float32(monkeypatch):
    monkeypatch.setattr(device, "time_convolution", pytest.fail)
    with device.dtype_policy("float32"):
        assert keras.config.dtype_policy().name == "float32"


def test_the_time_of_a_convolution_is_that_of_its_dtype(monkeypatch):
    """On a clock that only the convolutions move."""
    now, calls = 0.0, []
    seconds = {"bfloat16": 0.03, "float32": 0.01}

    def make_convolution(dtype):
        def convolve():
            nonlocal now
            calls.append(dtype)
            now += seconds[dtype] * (100 if len(calls) <= 2 else 1)

        return convolve

    monkeypatch.setattr(device, "_make_convolution", make_convolution)
    monkeypatch.setattr(
        device, "time", SimpleNamespace(perf_counter=lambda: now)
    )
    assert device.time_convolution(["bfloat16", "float32"]) == pytest.approx(
        [0.03, 0.01]
    )
    # In turns; what compiles does not count.
    assert calls == ["bfloat16", "float32"] * 2


def test_a_convolution_and_its_gradients_are_in_that_dtype():
    for dtype in ("bfloat16", "float32"):
        of_images, of_kernel = device._make_convolution(dtype)()
        assert of_images.dtype == of_kernel.dtype == dtype
        assert of_kernel.shape == (3, 3, 128, 128)
        # Ones everywhere: 9 of them times 128 channels, twice.
        assert float(of_images[0, 14, 14, 0]) == 9 * 128 * 9 * 128


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


def test_the_kind_of_a_cpu_is_its_instruction_set(monkeypatch, tmp_path):
    def kind(text):
        (tmp_path / "cpuinfo").write_text(text)
        return device.device_kind()

    monkeypatch.setattr(device, "Path", lambda name: tmp_path / "cpuinfo")
    monkeypatch.setattr(device.platform, "machine", lambda: "x86_64")
    one = "processor\t: 0\nmodel name\t: A\nflags\t\t: fpu avx avx2 fma\n"
    assert kind(one) == "CPU (x86_64, avx, avx2, fma)"
    two = one + "\nprocessor\t: 1\nmodel name\t: A\nflags\t\t: fpu avx\n"
    assert kind(two) == kind(one.replace(": A", ": B")) == kind(one)
    assert kind(one.replace("fma", "fma avx512f")) != kind(one)
    monkeypatch.setattr(device.platform, "machine", lambda: "aarch64")
    arm = kind("processor\t: 0\nFeatures\t: fp asimd bf16\n")
    assert arm == "CPU (aarch64, asimd, bf16)"
