"""The device that trains."""

import os

import tensorflow as tf


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
