"""The search beside the default, a linear head, fastai and a grid.

    python -m benchmarks.just_enough --job=mobilenet --photos=solar_cells \
        --backbones=backbones --output_dir=just_enough \
        --fastai_python=fastai-venv/bin/python

Contestants on the same photos, weights and sizes, each in a process of its own
and with empty caches, in turns, for each seed:

- default: train.py with its defaults.
- linear: `--epochs=0`, the solved linear head.
- auto: `--budget=3m`.
- fastai: `lr_find`, then `fine_tune` with the rate that it suggests; of
  SqueezeNet only, whose weights can be converted.
- grid: `benchmarks.grid_search`, 24 combinations of unfreeze point, learning
  rate and augmentation, chosen between on the same held-out photos; one seed.

Prints validation loss, accuracy and seconds of each, what was chosen, and the
paired differences between auto and the others. What is in the output folder is
not run again, so a benchmark that was stopped goes on.

AutoGluon's MultiModalPredictor is left out: it has no way to take these
weights, and downloads its own.
"""

import json
import os
import shutil
import statistics
from pathlib import Path

from absl import app, flags

from benchmarks import (
    fastai_process,
    grid_search,
    jobs,
    machine,
    process,
    train_job,
)
from thaw.evaluation.bootstrap import paired_difference
from thaw.evaluation.compared_run import load_compared_run
from thaw.evaluation.shared_photos import shared_scores

CONTESTANTS = flags.DEFINE_list(
    "contestants",
    ["default", "linear", "auto", "fastai", "grid"],
    "Which to run.",
)
BUDGET = flags.DEFINE_string("budget", "3m", "Of auto, as in train.py.")
OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "For what came out.")
FASTAI_PYTHON = flags.DEFINE_string(
    "fastai_python", None, "Python with fastai 2.8; None: fastai is left out."
)
FASTAI_EPOCHS = flags.DEFINE_integer("fastai_epochs", 4, "Of `fine_tune`.")
GRID_EPOCHS = flags.DEFINE_integer("grid_epochs", 3, "Of each in the grid.")
SEEDS = flags.DEFINE_integer("seeds", 3, "Number of seeds.")
flags.mark_flags_as_required(["output_dir"])

SEEDS_OF_GRID = 1
FACTS = {"val_loss": "{:.4f}", "val_accuracy": "{:.4f}", "seconds": "{:.0f}"}


def main(argv):
    flags_of_train = jobs.train_flags(argv[1:])
    contestants = {
        "default": [],
        "linear": ["--epochs=0"],
        "auto": ["--unfreeze_from=auto", f"--budget={BUDGET.value}"],
        "fastai": None,
        "grid": [
            "--unfreeze_from=auto",
            f"--trials={grid_search.NUM_TRIALS}",
            f"--epochs={GRID_EPOCHS.value}",
            "--set=temperature=1",
        ],
    }
    folder = Path(OUTPUT_DIR.value).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    if FASTAI_PYTHON.value is None or jobs.JOB.value != "squeezenet":
        contestants.pop("fastai")
    results = {name: [] for name in contestants if name in CONTESTANTS.value}
    for seed in range(SEEDS.value):
        for name, of_name in results.items():
            if name == "grid" and seed >= SEEDS_OF_GRID:
                continue
            facts = folder / f"{name}-{seed}.json"
            if not facts.exists():
                given = None
                if name != "fastai":
                    given = [*flags_of_train, *contestants[name]]
                facts.write_text(json.dumps(run(folder, name, seed, given)))
            of_name.append(json.loads(facts.read_text()))
            print(f"seed {seed}, {name}: {of_name[-1]}", flush=True)
    print(f"\n{machine.describe_machine()}")
    print_table(results)
    print_differences(folder, results)


def run(folder, name, seed, flags_of_train):
    """Returns the facts of one run, and leaves its run folder."""
    if flags_of_train is None:
        return run_fastai(folder, seed)
    script = (
        ["-m", "benchmarks.grid_search"] if name == "grid" else ["train.py"]
    )
    run_dir = folder / f"{name}-{seed}"
    shutil.rmtree(run_dir, ignore_errors=True)  # of one that was stopped
    found = train_job.run_job(
        process.ROOT,
        [*flags_of_train, f"--seed={seed}"],
        run_dir=run_dir,
        script=script,
    )
    config, best = found.summary["config"], found.summary["best_epoch"]
    names = ("unfreeze_from", "learning_rate", "augment")
    chosen = ", ".join(str(config[x]) for x in names)
    return {
        "val_loss": found.summary["val_loss"],
        "val_accuracy": found.summary["val_accuracy"],
        "seconds": found.usage.seconds,
        "chosen": chosen if best > 1 else "head alone",
    }


def run_fastai(folder, seed):
    """Returns the facts of `fastai_recipe`, with the rate that it finds."""
    python, photos = FASTAI_PYTHON.value, os.path.abspath(jobs.PHOTOS.value)
    base = Path(jobs.BACKBONES.value, "squeezenet.keras")
    weights = folder / "weights.npz"
    if not weights.exists():
        fastai_process.convert_weights(python, base, photos, weights)
    usage = fastai_process.run_recipe(
        python, "find", weights, photos, 224, FASTAI_EPOCHS.value, seed
    )
    lines = [json.loads(x) for _, x in usage.lines if "val_loss" in x]
    names = ("val_loss", "val_accuracy")
    return {
        **{name: lines[-1][name] for name in names},
        "seconds": usage.seconds,
        "chosen": "all",
    }


def print_table(results):
    """Prints a row per contestant, medians and all values."""
    rows = []
    for name, of_name in results.items():
        row = [name]
        for key, form in FACTS.items():
            values = [facts[key] for facts in of_name]
            every = ", ".join(map(form.format, values))
            row.append(f"{form.format(statistics.median(values))} ({every})")
        rows.append([*row, "; ".join(facts["chosen"] for facts in of_name)])
    machine.print_table(["", *FACTS, "chosen"], rows)


def print_differences(folder, results):
    """Prints the log loss of each less that of auto, of the same seed."""
    rows = []
    for seed in range(len(results.get("auto", ()))):
        auto = folder / f"auto-{seed}"
        for name in results:
            other = folder / f"{name}-{seed}"
            if name != "auto" and other.is_dir():
                pair = (
                    load_compared_run(x.name, x).predictions
                    for x in (other, auto)
                )
                _, losses = shared_scores(*pair)
                loss = paired_difference(*losses)
                noise = "within noise" if loss.within_noise else ""
                interval = f"{loss.low:+.4f} to {loss.high:+.4f}"
                rows.append([seed, name, f"{loss.mean:+.4f}", interval, noise])
    if rows:
        print("\nValidation loss less that of auto:\n")
        machine.print_table(["seed", "", "mean", "95% interval", ""], rows)


if __name__ == "__main__":
    flags.FLAGS.set_gnu_getopt(True)
    app.run(main)
