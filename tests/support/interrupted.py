"""Runs that are interrupted at a named place, in this process or by a kill."""

import contextlib
import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.support.paths import ROOT

QUICK = {
    "backbone": "vgg16_tiny",
    "limit": 60,
    "image_size": 32,
    "head_epochs": 1,
    "epochs": 2,
    "batch_size": 8,
    "checkpoint_minutes": 0,
    # How fast a machine is must not decide what a run computes.
    "frozen_runtime": "tensorflow",
    "frozen_precision": "float32",
}


class Killed(BaseException):
    """Ends a run as nothing of the program would."""


@contextlib.contextmanager
def at_call(
    module: str, name: str, call: int, action: Callable[[], None]
) -> Iterator[None]:
    """Does something where a function is about to be called for the Nth time.

    Args:
        module: Name of the module in which it is looked up.
        name: Name of the function there, or of a method: `Class.method`.
        call: N, from 1.
        action: What to do; what it raises goes up from there.
    """
    owner = importlib.import_module(module)
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    original, calls = getattr(owner, last), 0

    def changed(*args, **kwargs):
        nonlocal calls
        calls += 1
        if calls == call:
            action()
        return original(*args, **kwargs)

    setattr(owner, last, changed)
    try:
        yield
    finally:
        setattr(owner, last, original)


def kill():
    """Raises `Killed`: what is written after that never is."""
    raise Killed


_CODE = """
import os, signal, sys
sys.path.insert(0, {root!r})
from tests.support.interrupted import at_call
from tests.support.training import train

def die():
    os.kill(os.getpid(), signal.{number})

with at_call({module!r}, {name!r}, {call}, die):
    train({run_dir!r}, **{options!r})
"""


def killed_process(
    run_dir: Path, module: str, name: str, call: int, **options
) -> None:
    """Trains in a process of its own, and kills it (SIGKILL)."""
    code = _CODE.format(
        root=str(ROOT), number="SIGKILL", module=module, name=name, call=call,
        run_dir=str(run_dir), options=options,
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
