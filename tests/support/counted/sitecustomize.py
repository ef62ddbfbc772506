"""Notes each process that imports TensorFlow: Python imports this at start."""

import os
import sys

_noted = False


def _note(event, arguments):
    global _noted
    if event == "import" and arguments[0] == "tensorflow" and not _noted:
        _noted = True
        with open(os.environ["THAW_TESTS_COUNT"], "a") as file:
            file.write(f"{' '.join(sys.orig_argv)[:100]!r}\n")


if "THAW_TESTS_COUNT" in os.environ:
    sys.addaudithook(_note)
