"""The device that trains."""

import ctypes
import os
import sys
from pathlib import Path

import keras
import tensorflow as tf

from thaw.errors import UserError

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4  # of glibc's malloc.h


def keep_freed_memory() -> None:
    """Makes malloc keep what is freed, for the batches to come.

    glibc gives large blocks back at once and gets them again page by page,
    batch after batch: a tenth of an epoch on cached features. Elsewhere
    nothing is done.
    """
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
        libc.mallopt(_M_TOP_PAD, 64 << 20)


def prepare_device() -> str:
    """Makes the GPUs grow their memory as needed; returns what will train.

    Returns:
        Text for people, e.g. `GPU (NVIDIA L4)` or `CPU (2 cores, no GPU
        found)`.
    """
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        # Otherwise TensorFlow takes all memory of the GPU at once.
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


def set_precision(precision: str) -> None:
    """Makes the layers built from now on compute in `precision`.

    Weights stay float32 (Micikevicius et al. 2018, arXiv:1710.03740).

    Args:
        precision: `float32`, `mixed_bfloat16` or `mixed_float16`.

    Raises:
        UserError: If that would not be faster here.
    """
    if precision != "float32":
        reason = _why_slow(precision)
        if reason:
            raise UserError(f"--precision={precision} gains nothing: {reason}")
    keras.config.set_dtype_policy(precision)


def _why_slow(precision):
    """Returns why half precision is not faster here; None: it is."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        # Volta has units for float16, Ampere for bfloat16, too.
        can = details.get("compute_capability", (8, 0))
        if can >= ((7, 0) if precision == "mixed_float16" else (8, 0)):
            return None
        if can >= (7, 0):
            return "this GPU has units for --precision=mixed_float16 only."
        return "this GPU has no units for half precision. Leave it out."
    # Measured on a Xeon: with AMX an epoch takes half the time and less, with
    # AVX-512's bfloat16 twice the time, float16 does not end.
    if "amx_bf16" not in _cpu_flags():
        return "this CPU has no units for half precision (AMX). Leave it out."
    if precision == "mixed_float16":
        return "this CPU has units for --precision=mixed_bfloat16 only."
    return None


def _cpu_flags():
    """Returns what the processor can do, by Linux's names; else nothing."""
    path = Path("/proc/cpuinfo")
    if not path.is_file():
        return set()
    for line in path.read_text().splitlines():
        if line.startswith("flags"):
            return set(line.split())
    return set()
