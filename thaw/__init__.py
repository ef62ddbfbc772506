"""Fine-tune a Keras image classifier by unfreezing just enough of it."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what `__getattr__` imports when it is first used
    from model_zoo.build import build_model
    from thaw.comparison import compare
    from thaw.config import TrainConfig
    from thaw.data.datasets import image_datasets
    from thaw.data.photo_report import check_photos
    from thaw.errors import (
        MachineError,
        NotFinite,
        NotVerified,
        Stopped,
        UserError,
    )
    from thaw.estimation import estimate_run
    from thaw.fine_tuning import fine_tune
    from thaw.run import Run, load_run

__version__ = "0.2.0.dev0"
__all__ = [
    "MachineError",
    "NotFinite",
    "NotVerified",
    "Run",
    "Stopped",
    "TrainConfig",
    "UserError",
    "build_model",
    "check_photos",
    "compare",
    "estimate_run",
    "fine_tune",
    "image_datasets",
    "load_run",
]
_MODULES = {
    "MachineError": "thaw.errors",
    "NotFinite": "thaw.errors",
    "NotVerified": "thaw.errors",
    "Run": "thaw.run",
    "Stopped": "thaw.errors",
    "TrainConfig": "thaw.config",
    "UserError": "thaw.errors",
    "build_model": "model_zoo.build",
    "check_photos": "thaw.data.photo_report",
    "compare": "thaw.comparison",
    "estimate_run": "thaw.estimation",
    "fine_tune": "thaw.fine_tuning",
    "image_datasets": "thaw.data.datasets",
    "load_run": "thaw.run",
}


_IMPORTING_KERAS = ("build_model", "image_datasets")


def __getattr__(name):
    if name in _IMPORTING_KERAS:
        importlib.import_module("thaw.keras_config").check_keras_config()
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
