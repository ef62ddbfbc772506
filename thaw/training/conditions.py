"""Conditions of a run: settings and versions that its numbers depend on."""

import hashlib
import os
import platform
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from model_zoo.own_model import find_own_model
from thaw.config import TrainConfig
from thaw.data.groups import group_numbers
from thaw.device import num_processors, processor_name
from thaw.runs.reader import file_sha256

# They change nothing of what is computed, or what they change is compared as
# what it leads to: the photos and their split.
_FREE_OPTIONS = {
    "cache_dir",
    "cache_limit_gb",
    "checkpoint_minutes",
    "class_folders",
    "data",
    "frozen_precision",
    "frozen_runtime",
    "group_regex",
    "label_column",
    "label_regex",
    "limit",
    "max_pixels",
    "path_column",
    "rare_classes",
    "skip_bad",
    "smooth_curves",
    "validation_data",
    "validation_fraction",
}
_ENVIRONMENT = (
    "TF_ENABLE_ONEDNN_OPTS",
    "ONEDNN_MAX_CPU_ISA",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "OMP_NUM_THREADS",
)


def make_conditions(
    config: TrainConfig, splits, stages: Sequence, settings, device: str
) -> dict:
    """Returns what a run's numbers depend on, as JSON can hold it.

    Args:
        config: Options of the run.
        splits: Photos of both splits.
        stages: `Stage` of the run, in order.
        settings: `Settings` of the run.
        device: Text of `thaw.device.prepare_device`.

    Returns:
        By name: the dicts `config` and `photos`, which have to be the same
        for a run to be resumed, the dict `machine`, and `num_stages`.
    """
    free = _FREE_OPTIONS
    if config.schedule == "constant":
        free = free | {"epochs"}  # the rates of those done stay as they were
    values = config.to_dict()
    caches = [stage.train_cache for stage in stages]
    return {
        "config": {x: y for x, y in values.items() if x not in free},
        "num_stages": len(stages),
        "photos": {
            "training photos": _fingerprint(splits.train),
            "validation photos": _fingerprint(splits.validation),
            **_model_before(config),
        },
        "machine": {
            "cached views where the disk has room for no more": [
                cache.num_views if cache.lacks_room else None
                for cache in caches
            ],
            "device": device,
            "processors": num_processors(),
            "processor": processor_name(),
            "frozen part": ", ".join(
                (settings.runtime.describe(), *settings.runtime.versions())
            ),
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
            **{name: os.environ.get(name) for name in _ENVIRONMENT},
        },
    }


def _fingerprint(photos):
    facts = [photos.fingerprint(), photos.labels.tobytes().hex()]
    groups = group_numbers(photos)
    if groups is not None:  # the folds of a solved head
        facts.append(groups.tobytes().hex())
    text = " ".join((*facts, *photos.class_names))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _model_before(config):
    """Returns the hash of the model that the run goes on from, if any."""
    own = find_own_model(config.backbone_name)
    if own is None:
        return {}
    return {"model to go on from": file_sha256(own.path)[:16]}
