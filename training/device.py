"""The device that trains."""

import ctypes
import os
import sys

import tensorflow as tf

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
    if not gpus:
        return f"CPU ({os.cpu_count()} cores, no GPU found)"
    details = tf.config.experimental.get_device_details(gpus[0])
    return f"GPU ({details.get('device_name', gpus[0].name)})"
