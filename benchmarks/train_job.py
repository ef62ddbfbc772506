"""Runs of train.py from nothing, of the working tree and of other commits."""

import contextlib
import csv
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks import process


@dataclasses.dataclass(frozen=True)
class FinishedRun:
    """Results of a run.

    Attributes:
        usage: What it took.
        summary: Content of run.json.
        history: Rows of history.csv.
    """

    usage: process.Usage
    summary: dict
    history: list[dict]


def run_job(
    root: Path,
    flags_of_train: Sequence[str],
    sample: Callable[[int], float] | None = None,
    *,
    run_dir: Path | None = None,
    script: Sequence[str | Path] = ("train.py",),
) -> FinishedRun:
    """Runs train.py as on a new machine: nothing is cached, no run is there.

    Args:
        root: Checkout whose train.py runs.
        flags_of_train: Its flags.
        sample: As in `process.run`.
        run_dir: Run folder to leave; None: it is removed.
        script: What runs instead, in `root`: a script, or `-m` and a module.
    """
    with tempfile.TemporaryDirectory() as folder:
        home, cache = Path(folder, "home"), Path(folder, "c")
        run_dir = run_dir or Path(folder, "run")
        home.mkdir()
        environment = os.environ | {
            "HOME": str(home),
            "XDG_CACHE_HOME": str(cache),
            "PYTHONPATH": str(root),
        }
        places = [f"--run_dir={run_dir}", f"--cache_dir={cache}/thaw"]
        usage = process.run(
            [*script, *flags_of_train, *places],
            cwd=root,  # where workers of older commits look for modules
            environment=environment,
            sample=sample,
        )
        with open(run_dir / "history.csv", newline="") as file:
            history = list(csv.DictReader(file))
        summary = json.loads((run_dir / "run.json").read_text())
        return FinishedRun(usage, summary, history)


@contextlib.contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """Checks a commit out into a temporary folder."""
    git = ["git", "-C", str(process.ROOT), "worktree"]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "checkout"
        add = [*git, "add", "--quiet", "--detach", root, commit]
        subprocess.run(add, check=True)
        try:
            # Bytecode is there in the working tree, too.
            compile_all = [sys.executable, "-m", "compileall", "-q", root]
            subprocess.run(compile_all, check=True)
            yield root
        finally:
            subprocess.run([*git, "remove", "--force", root], check=True)
