"""Cache key: a hash of everything that cached features depend on."""

import hashlib
import json
import os

import keras
import numpy as np
import tensorflow as tf

from model_zoo.hashes import hash_layers
from thaw.cache.runtime import DEFAULT_RUNTIME, Runtime

_FORMAT = 3  # to be raised when the same photos come out as other views


def cache_key(
    frozen: keras.Model,
    *,
    photos: str,
    augment: str,
    dtype: str,
    batch_size: int,
    device: str,
    runtime: Runtime = DEFAULT_RUNTIME,
) -> str:
    """Returns a hash, 32 hexadecimal digits.

    Args:
        frozen: Model from photos to boundary tensors. Its configuration holds
            the image size, the resizing, the preprocessing and the unfreeze
            point; its weights count, too.
        photos: Hash of the contents of all photos in their order.
        augment: The augmentation with its numbers and its seed.
        dtype: Of what is stored.
        batch_size: Photos on which the frozen part runs at a time: it changes
            the last bits, as do the device and the versions below.
        device: Text of `thaw.device.device_kind`.
        runtime: What computes it.
    """
    facts = {
        "format": _FORMAT,
        "frozen": frozen.to_json(),
        "weights": hash_layers(frozen),
        "photos": photos,
        "augment": augment,
        "dtype": dtype,
        "batch_size": batch_size,
        "device": device,
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS"),
        "runtime": runtime,
        "versions": [
            tf.__version__,
            keras.__version__,
            np.__version__,
            *runtime.versions(),
        ],
    }
    text = json.dumps(facts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
