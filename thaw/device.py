"""The device that trains, and the dtype policy it trains in."""

import contextlib
import os
import platform
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import keras
import tensorflow as tf

from thaw.errors import UserError
from thaw.progress import warn

_CHANNELS = 128  # of the convolution that is timed
_TIMING_SECONDS = 0.2
_INSTRUCTIONS = (
    *("avx", "avx2", "fma", "f16c", "avx_vnni"),
    *("avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni"),
    *("avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "amx_fp16"),
    *("asimd", "asimdhp", "asimddp", "bf16", "i8mm", "sve", "sve2"),
)


def prepare_device() -> str:
    """Makes the GPUs grow their memory as needed; returns what will train.

    A GPU that TensorFlow has initialised already stays as it is.

    Returns:
        Text for people, e.g. `GPU (NVIDIA L4)` or `CPU (2 cores, no GPU
        found)`.
    """
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        # Otherwise TensorFlow takes all memory of the GPU at once.
        with contextlib.suppress(RuntimeError):  # it is in use
            tf.config.experimental.set_memory_growth(gpu, True)
    # Where a CPU has AVX-512 but not its float16, oneDNN logs one line at the
    # first float16 operation of the process. Drawn here, it is filtered with
    # the other start-up lines instead of ending up in the middle of an epoch.
    with tf.device("CPU"):
        tf.zeros(1, "float16")
    if not gpus:
        return f"CPU ({os.cpu_count()} cores, no GPU found)"
    return _gpu_name(gpus[0])


def training_gpus(num_gpus: int) -> list[str]:
    """Returns the names of the GPUs that share each batch; none for one.

    Args:
        num_gpus: How many are asked for.

    Raises:
        UserError: If there are fewer.
    """
    if num_gpus == 1:
        return []
    found = tf.config.list_logical_devices("GPU")
    if len(found) < num_gpus:
        raise UserError(
            f"`num_gpus={num_gpus}`: TensorFlow finds {len(found)} on this "
            "machine. (nvidia-smi lists those that the driver sees; "
            "CUDA_VISIBLE_DEVICES may hide some.)"
        )
    return [gpu.name for gpu in found[:num_gpus]]


def describe_gpus(device: str, num_gpus: int) -> str:
    """Returns e.g. `GPU (NVIDIA L4), 2 of 8`, or `device` without others.

    Args:
        device: Text of `prepare_device`.
        num_gpus: How many are used.
    """
    count = len(tf.config.list_physical_devices("GPU"))
    return device if count < 2 else f"{device}, {num_gpus} of {count}"


def has_gpu() -> bool:
    """Returns whether TensorFlow computes on a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))


def device_kind() -> str:
    """Returns the kind of device, of which all compute the same bits.

    Of a GPU that is its model; of a CPU, its instruction set: oneDNN and Eigen
    choose by it in which order they add. How many cores there are changes
    nothing.

    Returns:
        Text, e.g. `GPU (NVIDIA L4)` or `CPU (x86_64, avx2, fma)`.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return _gpu_name(gpus[0])
    known = _cpu_facts(("flags", "Features"))  # x86, ARM
    if known is None:
        return f"CPU ({platform.machine()} {platform.processor()})"
    found = [x for x in _INSTRUCTIONS if x in known.split()]
    return f"CPU ({', '.join([platform.machine(), *found])})"


def num_processors() -> int:
    """Returns how many processors this process may use: threads go by it."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor_name() -> str:
    """Returns its name: what it can do decides the order of additions."""
    name = _cpu_facts(("model name",))
    return name or f"{platform.machine()} {platform.processor()}"


def _gpu_name(gpu):
    details = tf.config.experimental.get_device_details(gpu)
    return f"GPU ({details.get('device_name', gpu.name)})"


def _cpu_facts(names):
    """Returns the value of a name in Linux's cpuinfo, or None."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() in names:
                return value.strip()
    return None


@contextlib.contextmanager
def dtype_policy(precision: str) -> Iterator[None]:
    """Makes the layers built in this context compute in `precision`.

    Weights stay float32 (Micikevicius et al. 2018, arXiv:1710.03740).

    Args:
        precision: `float32`, `mixed_bfloat16` or `mixed_float16`.
    """
    if precision != "float32":
        _warn_if_slower(precision)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def time_convolution(dtypes: Sequence[str]) -> list[float]:
    """Returns how long a typical convolution takes in each dtype, in seconds.

    It is 3x3, of 128 channels, forward and backward, on the device that
    trains: what most of a training step is. The medians of a few calls, in
    turns; less than half a second in all, on a processor that has nothing
    else to do.

    Args:
        dtypes: Names of floating-point dtypes.
    """
    functions = [_make_convolution(dtype) for dtype in dtypes]
    seconds = [[] for _ in dtypes]
    start = time.perf_counter()
    while len(seconds[0]) < 2 or time.perf_counter() - start < _TIMING_SECONDS:
        for function, times in zip(functions, seconds, strict=True):
            before = time.perf_counter()
            function()
            times.append(time.perf_counter() - before)
    # The first call compiles.
    return [statistics.median(times[1:]) for times in seconds]


def _make_convolution(dtype):
    """Returns a function that computes a convolution and its gradients."""
    images = tf.ones((4, 28, 28, _CHANNELS), dtype)
    kernel = tf.ones((3, 3, _CHANNELS, _CHANNELS), dtype)

    @tf.function
    def convolve():
        with tf.GradientTape() as tape:
            tape.watch([images, kernel])
            outputs = tf.nn.conv2d(images, kernel, 1, "SAME")
        return tape.gradient(outputs, [images, kernel], outputs)

    return convolve


def _warn_if_slower(precision):
    """Warns of a precision that is slower than float32 here."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        # Volta has units for float16, Ampere for bfloat16, too.
        least = (7, 0) if precision == "mixed_float16" else (8, 0)
        if details.get("compute_capability", (8, 0)) < least:
            warn(f"`precision={precision}` is slower than float32 on this GPU.")
        return
    # Of processors with the same instructions some gain and some lose.
    half, full = time_convolution(
        [keras.DTypePolicy(precision).compute_dtype, "float32"]
    )
    if half > full:
        warn(
            f"`precision={precision}` is slower than float32 on this CPU: "
            f"{1e3 * half:.3g} against {1e3 * full:.3g} ms for a 3x3 "
            f"convolution ({_CHANNELS} channels), forward and backward."
        )
