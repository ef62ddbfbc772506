"""run.json: the configuration of a run and its results."""

import importlib.metadata
import os
import platform

import keras
import numpy as np
import tensorflow as tf

from model_zoo.hashes import layers_with_weights
from model_zoo.hub_configs import needs_hub

_MOST_PAIRS = 20  # of confused classes


def summarize(
    training,
    most_confused: list[tuple[str, str, int]],
    verified: dict | None = None,
) -> dict:
    """Returns the content of run.json, but for its format and version.

    Args:
        training: The run: its `config`, `model`, `unfreeze_from`, `splits`
            (`train`, `validation` and `quality`), `stages`, `history`, `best`,
            `proof`, `seconds`, `device`, `conditions` and `state_sha256`.
        most_confused: True class, predicted class and number of photos, of
            the validation photos in the best epoch, the most frequent first.
        verified: Number of `photos` on which a fresh process agreed with the
            model, and the `largest_difference` of their probabilities; None:
            no process was asked.
    """
    config, model, best = training.config, training.model, training.best.row
    speed = training.history.images_per_second(config.batch_size)
    splits = {
        name: getattr(training.splits, name) for name in ("train", "validation")
    }
    return {
        "val_accuracy": best["val_accuracy"],
        "val_loss": best["val_loss"],
        "best_epoch": best["epoch"],
        "best_stage": best["stage"],
        "epochs": len(training.history.epochs),
        "seconds": round(training.seconds, 1),
        "images_per_second": speed and round(speed, 1),
        "yardstick": training.yardstick._asdict() if training.yardstick else {},
        "search": training.search,
        "backbone": config.backbone_name,
        "unfreeze_from": training.unfreeze_from,
        "image_size": model.get_layer("resize").height,
        "class_counts": {
            name: list(photos.counts().values())
            for name, photos in splits.items()
        },
        **_layers_and_proof(model, training.proof),
        "most_confused": most_confused[:_MOST_PAIRS],
        "photos": {name: photos.counts() for name, photos in splits.items()},
        "data_fingerprint": {
            name: photos.fingerprint() for name, photos in splits.items()
        },
        "pixel_ranges": {
            kind: str(x)
            for kind, x in training.splits.train.pixel_ranges.items()
        },
        "seed": config.seed,
        "device": training.device,
        "cache_views": max(x.train_cache.num_views for x in training.stages),
        "state_sha256": training.state_sha256,
        "config": config.to_dict(),
        "quality": training.splits.quality,
        "verified": verified,
        "conditions": training.conditions,
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS"),
        "malloc": os.environ.get("THAW_MALLOC"),
        "versions": {
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
            **_hub_version(model),
        },
    }


def _hub_version(model):
    """Returns the version of KerasHub, where the model needs it to open."""
    if not needs_hub(model):
        return {}
    return {"keras_hub": importlib.metadata.version("keras-hub")}


def _layers_and_proof(model, proof):
    names = layers_with_weights(model)
    return {
        "trainable_layers": [name for name in names if name in proof.trained],
        "frozen_layers": [name for name in names if name in proof.frozen],
        "trainable_parameters": _count_parameters(model.trainable_weights),
        "frozen_parameters": _count_parameters(model.non_trainable_weights),
        "freeze_proof": {
            "summary": proof.summary(),
            "frozen_layers_that_moved": sorted(proof.frozen_moved),
            "trained_layers_that_moved": sorted(proof.trained_moved),
        },
    }


def _count_parameters(variables):
    return sum(int(np.prod(variable.shape)) for variable in variables)
