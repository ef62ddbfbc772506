"""Fine-tune a Keras image classifier by unfreezing just enough of it."""

import importlib

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
