"""Is the transfer on the demo set real? Three answers, printed as a table.

    python -m benchmarks.demo_transfer

Runs the demo command with the embedded weights and with --weights=none, each
with three seeds, one after the other, as separate processes: validation
accuracy and seconds from process start; the best validation loss of the head
stage beside that of the fine-tune stage. Draws the curves of the first run
into docs/demo.svg, the picture in the README.
"""

import csv
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from plots import plot_history

ROOT = Path(__file__).parent.parent
SEEDS = (0, 1, 2)


def run_demo(folder, *flags):
    """Returns (seconds, run.json, rows of history.csv) of one demo run."""
    start = time.perf_counter()
    subprocess.run(
        [
            sys.executable,
            ROOT / "train.py",
            "--unfreeze-from=block5_conv1",
            f"--run_dir={folder}",
            *flags,
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    seconds = time.perf_counter() - start
    with open(folder / "history.csv", newline="") as file:
        history = list(csv.DictReader(file))
    return seconds, json.loads((folder / "run.json").read_text()), history


def best_loss(history, stage):
    return min(
        float(row["val_loss"]) for row in history if row["stage"] == stage
    )


def draw_curves(history, path):
    columns = {
        key: [
            row[key] if key == "stage" else float(row[key]) for row in history
        ]
        for key in ("stage", "accuracy", "val_accuracy", "loss", "val_loss")
    }
    matplotlib.rcParams["svg.hashsalt"] = "thaw"  # the same file each time
    figure = Figure(figsize=(11, 4), layout="constrained")
    axes = figure.subplots(1, 2)
    for ax, metric in zip(axes, ("accuracy", "loss"), strict=True):
        plot_history(columns, ax, metric=metric)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


def main():
    rows = []
    with tempfile.TemporaryDirectory() as place:
        for seed in SEEDS:
            for weights in ("auto", "none"):
                seconds, summary, history = run_demo(
                    Path(place) / f"{weights}-{seed}",
                    f"--seed={seed}",
                    f"--weights={weights}",
                )
                losses = [best_loss(history, s) for s in ("head", "fine_tune")]
                rows.append(
                    (weights, seed, summary["val_accuracy"], *losses, seconds)
                )
                if len(rows) == 1:
                    draw_curves(history, ROOT / "docs" / "demo.svg")
    print(
        f"{platform.processor() or platform.machine()}, "
        f"{summary['device']}, versions {summary['versions']}"
    )
    print("weights  seed  accuracy  head loss  fine-tune loss  seconds")
    for weights, seed, accuracy, head, fine_tune, seconds in rows:
        print(
            f"{weights:7}  {seed:4}  {accuracy:8.4f}  {head:9.4f}  "
            f"{fine_tune:14.4f}  {seconds:7.1f}"
        )
    for weights in ("auto", "none"):
        *medians, seconds = (
            statistics.median(row[column] for row in rows if row[0] == weights)
            for column in (2, 3, 4, 5)
        )
        print(
            f"{weights:7}  median {medians[0]:6.4f}  {medians[1]:9.4f}  "
            f"{medians[2]:14.4f}  {seconds:7.1f}"
        )


if __name__ == "__main__":
    main()
