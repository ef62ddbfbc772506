"""Speed beside stock Keras.

    python -m benchmarks.classic --data=cats_vs_dogs --base=squeezenet.keras

Three contestants on the same photos, weights and sizes, each in a process of
its own, in turns, for each seed:

- classic: the recipe that is copied most, stock Keras with its default
  settings: a nested base frozen up to the layer, a new head on it, both
  trained at once; ImageDataGenerator, RMSprop 1e-5.
- stronger: stock Keras written well: tf.data with the photos decoded once,
  Keras's random layers, oneDNN on, the head first.
- thaw: train.py with its defaults, and an empty cache.

Prints per contestant the seconds per fine-tune epoch (of thaw: once all views
are stored); the seconds from the start of the
process until the validation loss is below the best of the classic one, and
stays there; accuracy and peak memory.
"""

import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from absl import app, flags

from benchmarks import machine, stock_recipes

DATA = flags.DEFINE_string("data", None, "Folder with train/ and validation/.")
BASE = flags.DEFINE_string("base", None, ".keras file of the base.")
PREPROCESS = flags.DEFINE_string("preprocess", "caffe", "As in train.py.")
IMAGE_SIZE = flags.DEFINE_integer("image_size", 224, "Pixels a side.")
UNFREEZE_FROM = flags.DEFINE_string(
    "unfreeze_from", "fire9_squeeze1x1", "Layer of the base."
)
EPOCHS = flags.DEFINE_integer("epochs", 12, "Of each contestant, in all.")
SEEDS = flags.DEFINE_integer("seeds", 3, "Number of seeds.")
CACHE_VIEWS = flags.DEFINE_integer("cache_views", 4, "As in train.py.")
flags.mark_flags_as_required(["data", "base"])

ROOT = Path(__file__).parent.parent
HEAD_EPOCHS = 3


def main(_):
    print(machine.describe_machine(), flush=True)
    results = {name: [] for name in ("classic", "stronger", "thaw")}
    for seed in range(SEEDS.value):
        for name in results:
            run = run_thaw if name == "thaw" else run_stock
            results[name].append(run(name, seed))
            print(f"seed {seed}, {name}: {results[name][-1]}", flush=True)
        print_results(results)


def run_stock(name, seed):
    """Returns the result of one of `stock_recipes`, in a process of its own."""
    environment = dict(os.environ)
    if name == "stronger":
        environment["TF_ENABLE_ONEDNN_OPTS"] = "1"
    else:
        environment.pop("TF_ENABLE_ONEDNN_OPTS", None)
    arguments = stock_recipes.Arguments(
        data=DATA.value,
        base=BASE.value,
        preprocess=PREPROCESS.value,
        image_size=IMAGE_SIZE.value,
        unfreeze_from=UNFREEZE_FROM.value,
        epochs=EPOCHS.value,
        head_epochs=HEAD_EPOCHS,
        seed=seed,
    )
    module = "benchmarks.stock_recipes"
    command = ["-m", module, name, arguments.to_json()]
    ends, lines, memory = watch(command, environment)
    rows = [json.loads(line) for line in lines]
    return summarize(rows, ends, memory, HEAD_EPOCHS)


def run_thaw(_, seed):
    """Returns the result of train.py."""
    with tempfile.TemporaryDirectory() as folder:
        run_dir = Path(folder) / "run"
        command = [
            "train.py",
            f"--data={DATA.value}",
            f"--backbone={BASE.value}",
            f"--preprocess={PREPROCESS.value}",
            f"--image_size={IMAGE_SIZE.value}",
            f"--unfreeze_from={UNFREEZE_FROM.value}",
            f"--head_epochs={HEAD_EPOCHS}",
            f"--epochs={EPOCHS.value - HEAD_EPOCHS}",
            f"--seed={seed}",
            f"--run_dir={run_dir}",
            f"--cache_dir={folder}/cache",
            f"--cache_views={CACHE_VIEWS.value}",
        ]
        ends, _, memory = watch(command, dict(os.environ))
        with open(run_dir / "history.csv", newline="") as file:
            rows = list(csv.DictReader(file))
    first_epochs = max(HEAD_EPOCHS, CACHE_VIEWS.value)
    return summarize(rows, ends, memory, first_epochs)


def watch(command, environment):
    """Runs a command to its end.

    Returns:
        The seconds from the start of the process to each line that tells of a
        validation loss, those lines, and the largest memory in GB.
    """
    environment["PYTHONUNBUFFERED"] = "1"
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    ends, lines = [], []
    for line in process.stdout:
        if "val_loss" in line:
            ends.append(time.perf_counter() - start)
            lines.append(line)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command} ended with status {status}")
    return ends, lines, usage.ru_maxrss * 1024 / 1e9


def summarize(rows, ends, memory, first_epochs):
    """Returns the facts of one run; `first_epochs` are not like the rest."""
    return {
        "epoch_ends": [round(end, 1) for end in ends],
        "val_loss": [round(float(row["val_loss"]), 4) for row in rows],
        "val_accuracy": [round(float(row["val_accuracy"]), 4) for row in rows],
        "epoch_seconds": round(
            statistics.median(
                float(row["seconds"]) for row in rows[first_epochs:]
            ),
            2,
        ),
        "memory": round(memory, 2),
    }


def seconds_to(target, result):
    """Returns when the loss is at most `target` and stays so, or None."""
    reached = None
    for end, loss in zip(result["epoch_ends"], result["val_loss"], strict=True):
        if loss > target:
            reached = None
        elif reached is None:
            reached = end
    return reached


def print_results(results):
    """Prints one row per contestant, medians over the seeds."""
    targets = [min(result["val_loss"]) for result in results["classic"]]

    def median(values):
        values = list(values)
        return None if None in values else statistics.median(values)

    def kept_accuracy(result):
        best = result["val_loss"].index(min(result["val_loss"]))
        return result["val_accuracy"][best]

    facts = {
        name: (
            median(result["epoch_seconds"] for result in of_name),
            median(
                min(
                    end
                    for end, loss in zip(
                        result["epoch_ends"], result["val_loss"], strict=True
                    )
                    if loss == target
                )
                if name == "classic"
                else seconds_to(target, result)
                for result, target in zip(of_name, targets, strict=True)
            ),
            median(result["epoch_ends"][-1] for result in of_name),
            median(map(kept_accuracy, of_name)),
            median(min(result["val_loss"]) for result in of_name),
            max(result["memory"] for result in of_name),
        )
        for name, of_name in results.items()
    }

    def ratio(name, column):
        ours, theirs = facts["thaw"][column], facts[name][column]
        if ours is None or theirs is None:
            return "not reached"
        return f"{theirs:.1f} ({theirs / ours:.1f} x)"

    print(f"\nclassic's best validation loss: {targets}")
    machine.print_table(
        [
            "",
            "s per fine-tune epoch",
            "s to classic's best loss",
            "s in all",
            "accuracy, kept epoch",
            "best validation loss",
            "peak memory, GB",
        ],
        [
            [
                name,
                *(ratio(name, column) for column in range(3)),
                f"{accuracy:.3f}",
                f"{loss:.4f}",
                f"{memory:.2f}",
            ]
            for name, (*_, accuracy, loss, memory) in facts.items()
        ],
    )
    sys.stdout.flush()


if __name__ == "__main__":
    app.run(main)
