"""Messages for presets of KerasHub that cannot be loaded."""

import json
from collections.abc import Sequence
from pathlib import Path

from model_zoo.backbone_table import hub_presets
from model_zoo.backbones import HUB, did_you_mean
from thaw.errors import UserError, first_line


def not_loaded(
    preset: str, image_shape: Sequence[int] | None, error: Exception
) -> UserError:
    """Returns the error for a preset that cannot be loaded.

    Args:
        preset: Name, or folder.
        image_shape: Height, width and channels that it was asked for, or None.
        error: What KerasHub raised.
    """
    why = f"({type(error).__name__}: {first_line(error)})"
    if image_shape:
        return UserError(
            f"{HUB}{preset} can't be built on images of {image_shape[0]} "
            f"pixels {why}. Expected a multiple of its patches, e.g. of 32."
        )
    # Such as requests's, which kagglehub downloads with.
    if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
        return UserError(
            f"The KerasHub preset {preset} is not here and cannot be "
            f"downloaded {why} Three ways out: connect to the internet and run "
            "again; save it on another machine, "
            f'keras_hub.models.Backbone.from_preset("{preset}")'
            '.save_to_preset("FOLDER"), and give its folder as '
            f"{HUB}FOLDER; or choose a backbone whose weights are here."
        )
    names = hub_presets()
    similar = ""
    if preset not in names and not Path(preset).exists():
        why = "(there is none of that name)."
        similar = did_you_mean(preset, names)
    return UserError(
        f"Cannot load the KerasHub preset {preset} {why}{similar} "
        f"{_newer(preset)}Expected the name of a preset (python train.py "
        "--list_backbones=hub), which is downloaded once, or the folder of one "
        f"({HUB}PATH)."
    )


def _newer(preset):
    """Returns a sentence, if a newer KerasHub has written a preset."""
    import keras_hub

    try:
        text = (Path(preset) / "metadata.json").read_text("utf-8")
        version = str(json.loads(text)["keras_hub_version"])
        written, here = (
            [int(x) for x in y.split(".")[:2]]
            for y in (version, keras_hub.__version__)
        )
    except (OSError, ValueError, LookupError, TypeError):  # it doesn't say
        return ""
    if written <= here:
        return ""
    return (
        f"It was saved by KerasHub {version}, here is "
        f"{keras_hub.__version__}: pip install -U keras-hub. "
    )
