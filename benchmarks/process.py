"""Processes of a benchmark, and what they take."""

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
_SAMPLES_A_SECOND = 10


@dataclasses.dataclass(frozen=True)
class Usage:
    """Resources of a process, with the children that it waited for.

    Attributes:
        seconds: From its start to its end.
        cpu_percent: User and system time, 100 for one core all the time.
        memory: Largest memory of it, or of one of its children, GB.
        lines: Seconds from its start, and text, of each line of its stdout.
        samples: Seconds from its start, and what `sample` returned.
    """

    seconds: float
    cpu_percent: float
    memory: float
    lines: list[tuple[float, str]]
    samples: list[tuple[float, float]]


def run(
    arguments: Sequence,
    *,
    python: str | Path = sys.executable,
    cwd: str | Path = ROOT,
    environment: Mapping[str, str] | None = None,
    sample: Callable[[int], float] | None = None,
) -> Usage:
    """Runs a Python process to its end, in a process group of its own.

    Args:
        arguments: Those of the interpreter: script or `-m`, and its own.
        python: Interpreter.
        cwd: Its working folder.
        environment: Its environment; None: that of this process.
        sample: Called with its process ID ten times a second, or None.

    Raises:
        SystemExit: If it failed; its last words on stderr are shown.
    """
    environment = os.environ if environment is None else environment
    lines = []
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        start = time.perf_counter()
        process = subprocess.Popen(
            [python, *arguments],
            cwd=cwd,
            env=environment | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            start_new_session=True,
        )
        try:
            with _sampling(sample, process.pid, start) as samples:
                for line in process.stdout:
                    lines.append((time.perf_counter() - start, line.rstrip()))
                _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            if process.returncode is None:  # Ctrl-C didn't reach its group
                os.killpg(process.pid, signal.SIGKILL)
        if process.returncode:
            said.seek(0)
            raise SystemExit(
                f"{said.read()[-2000:]}\n{list(map(str, arguments))} ended "
                f"with status {process.returncode}"
            )
    return Usage(
        seconds,
        100 * (usage.ru_utime + usage.ru_stime) / seconds,
        usage.ru_maxrss * 1024 / 1e9,
        lines,
        samples,
    )


@contextlib.contextmanager
def _sampling(sample, pid, start):
    """Takes samples in a thread; the list that they go to."""
    samples, ended = [], threading.Event()

    def take_samples():
        while not ended.wait(1 / _SAMPLES_A_SECOND):
            value = sample(pid)
            samples.append((time.perf_counter() - start, value))

    thread = threading.Thread(target=take_samples)
    if sample is None:
        yield samples
        return
    thread.start()
    try:
        yield samples
    finally:
        ended.set()
        thread.join()
