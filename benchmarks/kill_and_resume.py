"""Is a run that was killed, again and again, the run it would have been?

    python -m benchmarks.kill_and_resume --kills=20

trains on the demo set without interruption; then again, killed at random
moments of its life (mostly SIGKILL, some SIGTERM), resumed each time with
--resume, and compares weights, history, steps and the state of the optimizer,
bit for bit. It exits with 1 if anything differs. What follows -- goes to
train.py.
"""

import csv
import functools
import hashlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from absl import app, flags

KILLS = flags.DEFINE_integer("kills", 20, "How often to kill it.")
KILL_SEED = flags.DEFINE_integer("kill_seed", 0, "Of the moments.")

ROOT = Path(__file__).parent.parent
TRAIN = [sys.executable, str(ROOT / "train.py")]
# As many checkpoints as there can be.
FLAGS = ["--checkpoint_minutes=0", "--head_epochs=3", "--epochs=6"]
_STARTING_SECONDS = 4.0  # in which there is little to kill
_SHARE_OF_SIGTERM = 0.3


def main(argv):
    with tempfile.TemporaryDirectory() as place:
        start = time.perf_counter()
        equal, _ = compare(
            Path(place),
            KILLS.value,
            KILL_SEED.value,
            [*FLAGS, *argv[1:]],
            say=functools.partial(print, flush=True),
        )
    print(f"{time.perf_counter() - start:.0f} s in all")
    if not equal:
        raise SystemExit("The results differ.")


def compare(
    place: Path,
    kills: int,
    seed: int,
    arguments: list[str],
    say: Callable[[str], None] = lambda line: None,
) -> tuple[bool, list[str]]:
    """Returns whether a killed run ended like one that was not, and a log.

    Args:
        place: Folder for both runs.
        kills: How often to kill it.
        seed: Of the moments.
        arguments: Flags of train.py.
        say: Called with each line of the log.
    """
    log = []

    def add(line):
        log.append(line)
        say(line)

    start = time.perf_counter()
    subprocess.run(
        [*TRAIN, f"--run_dir={place / 'whole'}", *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    seconds = time.perf_counter() - start
    expected = results(place / "whole")
    add(f"whole: {seconds:.1f} s, {expected}")
    rng = random.Random(seed)
    done = runs = 0
    while done < kills:
        run_dir = place / f"killed{runs}"
        runs += 1
        command = [*TRAIN, f"--run_dir={run_dir}", *arguments]
        while not (run_dir / "run.json").exists():
            moment = None
            if done < kills:
                moment = rng.uniform(_STARTING_SECONDS, seconds)
            number = signal.SIGKILL
            if rng.random() < _SHARE_OF_SIGTERM:
                number = signal.SIGTERM
            start = time.perf_counter()
            status, said = run_and_kill(command, moment, number)
            if status is not None and (run_dir / "run.json").exists():
                if "--resume" not in command[-1]:  # the first had no cache
                    seconds = min(seconds, time.perf_counter() - start)
                break
            if status is not None:
                add(f"ended with {status}: {said}")
                return False, log
            done += 1
            add(f"{number.name} after {moment:.1f} s: {said}")
            if (run_dir / "flags.txt").exists():
                command = [*TRAIN, f"--resume={run_dir}"]
        found = results(run_dir)
        add(f"{run_dir.name}: {found}")
        if found != expected:
            return False, log
    return True, log


def run_and_kill(command, moment, number):
    """Runs a command; returns (status or None if it was killed, last words)."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said, _ = process.communicate(timeout=moment)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
        said, _ = process.communicate()
        # Before training starts SIGTERM ends it as it does anything.
        killed = process.returncode in (-number, 128 + number)
        return (None if killed else process.returncode), _last_words(said)
    return process.returncode, _last_words(said)


def results(run_dir: Path) -> dict[str, str]:
    """Returns hashes of all that has to be equal in two finished runs.

    The kept weights, the history, the steps, and the state at the end: every
    variable of the model and its optimizer.
    """
    summary = json.loads((run_dir / "run.json").read_text("utf-8"))
    return hashes(run_dir) | {"state": summary["state_sha256"][:16]}


def hashes(run_dir: Path) -> dict[str, str]:
    """Returns hashes of the kept weights, the history and the steps."""
    with zipfile.ZipFile(run_dir / "model.keras") as model:
        weights = model.read("model.weights.h5")
    with open(run_dir / "history.csv", newline="") as file:
        rows = [
            {key: row[key] for key in row if key != "seconds"}
            for row in csv.DictReader(file)
        ]
    contents = {
        "weights": weights,
        "history": repr(rows).encode(),
        "steps": (run_dir / "steps.csv").read_bytes(),
    }
    return {
        name: hashlib.sha256(content).hexdigest()[:16]
        for name, content in contents.items()
    }


def _last_words(said):
    lines = [line for line in said.splitlines() if line.strip()]
    return " / ".join(lines[-2:])[-160:]


if __name__ == "__main__":
    app.run(main)
