"""Speed beside stock Keras and fastai.

    python -m benchmarks.peers --data=cats_vs_dogs --base=squeezenet.keras \
        --fastai_python=fastai-venv/bin/python

Contestants on the same photos, weights and sizes, each in a process of its
own, in turns, for each seed:

- classic: the recipe that is copied most, stock Keras with its default
  settings: a nested base frozen up to the layer, a new head on it, both
  trained at once; ImageDataGenerator, RMSprop 1e-5.
- stronger: stock Keras written well: tf.data with the photos decoded once,
  Keras's random layers, oneDNN on, the head first.
- fastai: `fine_tune(4)` with augmentation, in an environment of its own (pip
  install "fastai==2.8.*"); the base is SqueezeNet 1.1, its weights converted.
- thaw: train.py with its defaults, and empty caches.

Prints per contestant the seconds per fine-tune epoch (of thaw: once all views
are stored); the seconds from the start of the process until the validation
loss is at most the best of classic, the last of fastai, or one that is given,
and stays there; accuracy and peak memory.
"""

import json
import os
import tempfile
from pathlib import Path

from absl import app, flags

from benchmarks import (
    fastai_process,
    machine,
    process,
    stock_recipes,
    time_to_loss,
    train_job,
)

DATA = flags.DEFINE_string("data", None, "Folder with train/ and validation/.")
BASE = flags.DEFINE_string("base", None, ".keras file of the base.")
PREPROCESS = flags.DEFINE_string("preprocess", "caffe", "As in train.py.")
IMAGE_SIZE = flags.DEFINE_integer("image_size", 224, "Pixels a side.")
UNFREEZE_FROM = flags.DEFINE_string(
    "unfreeze_from", "fire9_squeeze1x1", "Layer of the base."
)
EPOCHS = flags.DEFINE_integer("epochs", 12, "Of Keras and Thaw, in all.")
FASTAI_EPOCHS = flags.DEFINE_integer("fastai_epochs", 4, "Of `fine_tune`.")
FASTAI_PYTHON = flags.DEFINE_string(
    "fastai_python", None, "Python with fastai 2.8; None: fastai is left out."
)
CONTESTANTS = flags.DEFINE_list(
    "contestants", ["classic", "stronger", "fastai", "thaw"], "Which to run."
)
TARGET_LOSS = flags.DEFINE_float("target_loss", None, "Validation loss.")
SEEDS = flags.DEFINE_integer("seeds", 3, "Number of seeds.")
flags.mark_flags_as_required(["data", "base"])

HEAD_EPOCHS = 3


def main(_):
    run = {
        "classic": run_stock,
        "stronger": run_stock,
        "fastai": run_fastai,
        "thaw": run_thaw,
    }
    results = {name: [] for name in CONTESTANTS.value}
    if FASTAI_PYTHON.value is None:
        results.pop("fastai", None)
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "weights.npz"
        if "fastai" in results:
            fastai_process.convert_weights(
                FASTAI_PYTHON.value, BASE.value, DATA.value, weights
            )
        for seed in range(SEEDS.value):
            for name in results:
                results[name].append(run[name](name, seed, weights))
                print(f"seed {seed}, {name}: {results[name][-1]}", flush=True)
    print(f"\n{machine.describe_machine()}")
    time_to_loss.print_table(results, TARGET_LOSS.value)


def run_stock(name, seed, _):
    """Returns the result of one of `stock_recipes`."""
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
    usage = process.run(
        ["-m", module, name, arguments.to_json()],
        cwd=Path.cwd(),
        environment=environment | {"PYTHONPATH": str(process.ROOT)},
    )
    return time_to_loss.summarize(usage, losses_of(usage), HEAD_EPOCHS)


def run_fastai(_, seed, weights):
    """Returns the result of `fastai_recipe`."""
    of_recipe = [DATA.value, IMAGE_SIZE.value, FASTAI_EPOCHS.value, seed]
    usage = fastai_process.run_recipe(
        FASTAI_PYTHON.value, "train", weights, *of_recipe
    )
    return time_to_loss.summarize(usage, losses_of(usage), first_epochs=1)


def run_thaw(_, seed, __):
    """Returns the result of train.py."""
    run = train_job.run_job(
        process.ROOT,
        [
            f"--data={os.path.abspath(DATA.value)}",
            f"--backbone={os.path.abspath(BASE.value)}",
            f"--preprocess={PREPROCESS.value}",
            f"--image_size={IMAGE_SIZE.value}",
            f"--unfreeze_from={UNFREEZE_FROM.value}",
            f"--epochs={EPOCHS.value - 1}",  # the first is the solved head
            f"--seed={seed}",
        ],
    )
    num_views = run.summary["config"]["cache_views"]
    return time_to_loss.summarize(run.usage, run.history, 1 + num_views)


def losses_of(usage):
    """Returns the lines of JSON that a recipe printed."""
    return [json.loads(line) for _, line in usage.lines if "val_loss" in line]


if __name__ == "__main__":
    app.run(main)
