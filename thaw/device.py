"""The device that trains, and the dtype policy it trains in."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import keras
import tensorflow as tf

from thaw.progress import warn


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
    details = tf.config.experimental.get_device_details(gpus[0])
    return f"GPU ({details.get('device_name', gpus[0].name)})"


@contextlib.contextmanager
def dtype_policy(precision: str) -> Iterator[None]:
    """Makes the layers built in this context compute in `precision`.

    Weights stay float32 (Micikevicius et al. 2018, arXiv:1710.03740).

    Args:
        precision: `float32`, `mixed_bfloat16` or `mixed_float16`.
    """
    if precision != "float32" and not _has_units(precision):
        warn(f"`precision={precision}` is slower than float32 on this device.")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _has_units(precision):
    """Returns whether half precision is faster here."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        # Volta has units for float16, Ampere for bfloat16, too.
        least = (7, 0) if precision == "mixed_float16" else (8, 0)
        return details.get("compute_capability", (8, 0)) >= least
    # Measured on a Xeon: with AMX an epoch takes half the time and less, with
    # AVX-512's bfloat16 twice the time.
    path = Path("/proc/cpuinfo")
    has_amx = path.is_file() and "amx_bf16" in path.read_text()
    return has_amx and precision == "mixed_bfloat16"
