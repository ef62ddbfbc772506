"""Limits on a whole session: skipped tests, processes with TensorFlow."""

import os
import tempfile
from pathlib import Path

# With CI=true, a test may be skipped for these reasons only.
ALLOWED_SKIPS = {
    "no IPv6": "not every machine has it",
    "no aiohttp": "of the extra remote",
    "no s3fs": "of the extra remote",
    "no moto": "a server that plays S3",
}
MOST_PROCESSES = 40
_COUNT = "THAW_TESTS_COUNT"


def variables() -> dict[str, str]:
    """Returns environment variables with which processes are counted.

    Each process that imports TensorFlow notes that in one file.
    """
    if _COUNT in os.environ:  # a worker
        return {}
    descriptor, path = tempfile.mkstemp(prefix="thaw-tests-count-")
    os.close(descriptor)
    folder = str(Path(__file__).parent / "counted")
    paths = [folder, os.environ.get("PYTHONPATH", "")]
    return {
        _COUNT: path,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }


def problems(skipped: list[str]) -> tuple[int, list[str]]:
    """Returns the number of processes, and what is wrong with a session.

    Args:
        skipped: Reasons of the tests that were skipped.
    """
    found = []
    if os.environ.get("CI") == "true":
        reasons = {reason.removeprefix("Skipped: ") for reason in skipped}
        found += [
            f"A test was skipped: {reason}"
            for reason in sorted(reasons - ALLOWED_SKIPS.keys())
        ]
    path = Path(os.environ[_COUNT])
    processes = path.read_text().splitlines()
    path.unlink()
    if len(processes) > MOST_PROCESSES:
        found.append(
            f"{len(processes)} processes imported TensorFlow, at most "
            f"{MOST_PROCESSES} may:\n  " + "\n  ".join(sorted(processes))
        )
    return len(processes), found
