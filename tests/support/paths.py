"""Folders that tests use."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SHARED = ROOT.parent / "shared"
# Lines that TensorFlow logs depend on the CPU, not on us.
_TENSORFLOW_LOG = re.compile(r"^[IWE]\d{4} .*\n?", re.MULTILINE)


def without_log(stderr):
    """Returns `stderr` without the lines that TensorFlow logged."""
    return _TENSORFLOW_LOG.sub("", stderr)
