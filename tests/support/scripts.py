"""Scripts of the project, run in this process or in one of their own."""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

from tests.support.paths import ROOT
from thaw.cli import app

# Lines that TensorFlow logs depend on the CPU, not on us.
_TENSORFLOW_LOG = re.compile(r"^[IWE]\d{4} .*\n?", re.MULTILINE)


def without_log(stderr: str) -> str:
    """Returns `stderr` without the lines that TensorFlow logged."""
    return _TENSORFLOW_LOG.sub("", stderr)


def run_process(script: str, *arguments, cwd, **environment):
    """Runs a script as a process, on all cores as a user would."""
    variables = {**os.environ, **environment}
    del variables["TF_NUM_INTRAOP_THREADS"]
    return subprocess.run(
        [sys.executable, ROOT / script, *map(str, arguments)],
        cwd=cwd,
        env=variables,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=400,
    )


def run_here(script: str, *arguments, cwd, verify=False, **environment):
    """Runs a script in this process, as `run_process` does in its own.

    Without `verify`, no fresh process opens the model of train.py.
    """
    name = script.removesuffix(".py")
    with (
        _changed_environment(environment),
        contextlib.chdir(cwd),
        _without_fresh_process(verify),
        _captured(1) as stdout,
        _captured(2) as stderr,
    ):
        status = app.main(name, [script, *map(str, arguments)])
    return SimpleNamespace(
        returncode=status,
        stdout=stdout.read(),
        stderr=stderr.read(),
    )


@contextlib.contextmanager
def _changed_environment(changes) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _without_fresh_process(verify) -> Iterator[None]:
    """Changes the default of `fine_tune(verify=)`."""
    from thaw.fine_tuning import fine_tune

    before = fine_tune.__kwdefaults__["verify"]
    fine_tune.__kwdefaults__["verify"] = verify
    try:
        yield
    finally:
        fine_tune.__kwdefaults__["verify"] = before


class _Captured:
    """Text written to a file descriptor, in the end."""

    text = ""

    def read(self) -> str:
        return self.text


@contextlib.contextmanager
def _captured(descriptor: int) -> Iterator[_Captured]:
    """Catches a file descriptor, and the stream of Python that leads to it."""
    name = {1: "stdout", 2: "stderr"}[descriptor]
    captured, stream = _Captured(), getattr(sys, name)
    before = os.dup(descriptor)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "output")
        with open(
            path, "w", encoding="utf-8", errors="surrogateescape", buffering=1
        ) as file:
            os.dup2(file.fileno(), descriptor)
            # On the descriptor: what C code writes comes in its order.
            own = open(
                descriptor, "w", encoding="utf-8", closefd=False,
                errors="surrogateescape", buffering=1,
            )  # fmt: skip
            setattr(sys, name, own)
            try:
                yield captured
            finally:
                own.flush()
                setattr(sys, name, stream)
                os.dup2(before, descriptor)
                os.close(before)
        captured.text = path.read_text("utf-8", "surrogateescape")
