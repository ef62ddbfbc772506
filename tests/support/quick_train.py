"""Runs train.py, but for the process that opens its model anew.

That one takes seconds of every run, and has its own tests: test_reopening, and
the commands of the README.
"""

import runpy
import sys
import types
from pathlib import Path

TRAIN = Path(__file__).parent.parent.parent / "train.py"


class Reopening:
    """Opens nothing."""

    def __init__(self, model_path, photos):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def compare(self, model):
        return 0.0


def install() -> None:
    """Puts what does nothing in the place of `thaw.runs.verify`."""
    module = types.ModuleType("thaw.runs.verify")
    module.Reopening = Reopening
    module.take_weights = lambda *_: None
    module.weights_sha256 = lambda _: None
    sys.modules["thaw.runs.verify"] = module


if __name__ == "__main__":
    install()
    sys.path[0] = str(TRAIN.parent)
    sys.argv[0] = str(TRAIN)
    runpy.run_path(sys.argv[0], run_name="__main__")
