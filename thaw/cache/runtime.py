"""Runtimes of the frozen part, and their precision."""

import importlib.metadata
from typing import NamedTuple

TENSORFLOW, OPENVINO = "tensorflow", "openvino"
FLOAT32, BFLOAT16 = "float32", "bfloat16"


class Runtime(NamedTuple):
    """A runtime of the frozen part, and its precision.

    Attributes:
        name: `tensorflow` or `openvino`.
        precision: `float32` or `bfloat16`, of the arithmetic; what goes in and
            comes out is float32.
    """

    name: str = TENSORFLOW
    precision: str = FLOAT32

    def describe(self) -> str:
        """Returns e.g. `OpenVINO, bfloat16`."""
        names = {TENSORFLOW: "TensorFlow", OPENVINO: "OpenVINO"}
        return f"{names[self.name]}, {self.precision}"

    @property
    def packages(self) -> tuple[str, ...]:
        """Packages that it needs beside TensorFlow."""
        return () if self.name == TENSORFLOW else ("openvino",)

    def versions(self) -> list[str]:
        """Returns the versions of its `packages`."""
        return [importlib.metadata.version(x) for x in self.packages]


DEFAULT_RUNTIME = Runtime()
