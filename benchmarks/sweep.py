"""Comparison of values of a flag, over seeds.

    python -m benchmarks.sweep --flag=optimizer --values=sgd,rmsprop,adam -- \\
        --flagfile=recipes/vgg16_linear_head.flags --data=photos

Runs train.py once per value and seed, in turns; what follows `--` are its
flags. Prints the validation accuracy and loss of the kept epochs: the mean
over the seeds, and in brackets the standard deviation. All runs share the
feature cache, so that those after the first of a seed take seconds.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from absl import app, flags

from benchmarks import machine

FLAG = flags.DEFINE_string("flag", None, "Flag of train.py, without dashes.")
VALUES = flags.DEFINE_list("values", None, "Its values, with commas between.")
SEEDS = flags.DEFINE_integer("seeds", 3, "Number of seeds.", lower_bound=1)
flags.mark_flags_as_required(["flag", "values"])

ROOT = Path(__file__).parent.parent


def main(argv):
    print(machine.describe_machine(), flush=True)
    summaries = {value: [] for value in VALUES.value}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(SEEDS.value):
            for number, value in enumerate(summaries):
                run_dir = Path(folder) / f"{seed}-{number}"
                summaries[value].append(train(value, seed, run_dir, argv[1:]))
    machine.print_table(
        [FLAG.value, "accuracy", "loss", "best accuracy", "seconds"],
        [
            [
                value,
                with_spread(of_value, "val_accuracy"),
                with_spread(of_value, "val_loss"),
                f"{max(x['val_accuracy'] for x in of_value):.4f}",
                f"{statistics.median(x['seconds'] for x in of_value):.0f}",
            ]
            for value, of_value in summaries.items()
        ],
    )


def train(value, seed, run_dir, arguments):
    """Returns the content of run.json of one run."""
    command = [
        sys.executable,
        ROOT / "train.py",
        *arguments,
        f"--{FLAG.value}={value}",
        f"--seed={seed}",
        f"--run_dir={run_dir}",
    ]
    process = subprocess.run(command, stdout=subprocess.DEVNULL)
    if process.returncode:
        raise SystemExit(process.returncode)
    summary = json.loads((run_dir / "run.json").read_text())
    print(
        f"{FLAG.value} {value}, seed {seed}: accuracy "
        f"{summary['val_accuracy']:.4f}, loss {summary['val_loss']:.4f}",
        flush=True,
    )
    return summary


def with_spread(summaries, name):
    """Returns e.g. `0.9650 (0.0021)`; no spread where there is one seed."""
    values = [summary[name] for summary in summaries]
    mean = f"{statistics.mean(values):.4f}"
    if len(values) == 1:
        return mean
    return f"{mean} ({statistics.stdev(values):.4f})"


if __name__ == "__main__":
    app.run(main)
