"""run.json: what a run was, and what came out of it."""

import os
import platform
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from thaw.runs.freeze_proof import FreezeProof, layers_with_weights

SIDES = ("train", "validation")
_PAIRS = 20  # of classes taken for each other


def summarize(
    *,
    model: keras.Model,
    backbone: str,
    unfreeze_from: str,
    sides: Sequence,
    history: list[dict],
    best: dict,
    proof: FreezeProof,
    confused: list[tuple[str, str, int]],
    seconds: float,
    images_per_second: float | None,
    seed: int,
    device: str,
    cache_views: int,
    state_sha256: str | None,
    conditions: dict,
    flags: dict,
    found: dict[str, int],
) -> dict:
    """Returns the content of run.json.

    Args:
        model: Trained model of `build_model`.
        backbone: Name or path of the backbone.
        unfreeze_from: Unfreeze point.
        sides: `PhotoIndex` and `Contents` of the photos to train on, and of
            those to validate on.
        history: Rows of all epochs.
        best: Row of the kept epoch.
        proof: `FreezeProof` of the run.
        confused: Of `thaw.training.losses.most_confused`.
        seconds: Wall time of the run so far.
        images_per_second: Photos trained on by steps, validation not counted.
        seed: Seed of the run.
        device: Text of `prepare_device`.
        cache_views: Views kept of each photo, 0 for none.
        state_sha256: Of the variables of model and optimizer after the last
            step, None where no stage trained by steps.
        conditions: All that the numbers depend on: flags, photos, machine and
            versions.
        flags: Values of all flags, by name.
        found: Photos that something is wrong with or odd about, by what.
    """
    names = layers_with_weights(model)
    return {
        "val_accuracy": best["val_accuracy"],
        "val_loss": best["val_loss"],
        "best_epoch": best["epoch"],
        "best_stage": best["stage"],
        "epochs": len(history),
        "seconds": round(seconds, 1),
        "images_per_second": images_per_second and round(images_per_second, 1),
        "backbone": backbone,
        "unfreeze_from": unfreeze_from,
        "image_size": model.get_layer("resize").height,
        "class_counts": {
            side: np.bincount(
                photos.labels, minlength=len(photos.class_names)
            ).tolist()
            for side, (photos, _) in zip(SIDES, sides, strict=True)
        },
        "trainable_layers": [name for name in names if name in proof.trained],
        "frozen_layers": [name for name in names if name in proof.frozen],
        "trainable_parameters": _count_parameters(model.trainable_weights),
        "frozen_parameters": _count_parameters(model.non_trainable_weights),
        "freeze_proof": {
            "summary": proof.summary(),
            "frozen_layers_that_moved": sorted(proof.frozen_moved),
            "trained_layers_that_moved": sorted(proof.trained_moved),
        },
        "most_confused": confused[:_PAIRS],
        "photos": {
            side: photos.counts()
            for side, (photos, _) in zip(SIDES, sides, strict=True)
        },
        "data_fingerprint": {
            side: contents.fingerprint()
            for side, (_, contents) in zip(SIDES, sides, strict=True)
        },
        "seed": seed,
        "device": device,
        "cache_views": cache_views,
        "state_sha256": state_sha256,
        "flags": flags,
        "found": found,
        "conditions": conditions,
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS"),
        "versions": {
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
        },
    }


def _count_parameters(variables):
    return sum(int(np.prod(variable.shape)) for variable in variables)
