"""A prepared run: everything known before it has a folder."""

import dataclasses
from collections.abc import Sequence

import keras

from thaw.config import TrainConfig
from thaw.data.prepare import Splits
from thaw.training.stage import Settings, Stage, Views


@dataclasses.dataclass(eq=False, kw_only=True)
class Prepared:
    """A run before it has a folder.

    Attributes:
        config: Options of the run, paths absolute.
        model: Model of `build_model`; its weights change.
        unfreeze_from: Unfreeze point.
        splits: Photos of both splits.
        stages: Stages of the run, in order.
        settings: Settings that all stages share.
        views: Views of the photos.
        device: Text of `thaw.device.prepare_device`.
    """

    config: TrainConfig
    model: keras.Model
    unfreeze_from: str
    splits: Splits
    stages: Sequence[Stage]
    settings: Settings
    views: Views
    device: str
