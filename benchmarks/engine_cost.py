"""Processor time of the frozen features by Ray, beside one process.

    python -m benchmarks.engine_cost --data=photos --backbone=base.keras

The cost of more views of the same photos, the difference of two runs, so that
the start of processes, of Ray and of TensorFlow doesn't count. It is the time
of all processors, whatever runs on them, so nothing else may run meanwhile.
"""

import tempfile
from pathlib import Path

from absl import app, flags

from benchmarks import machine

DATA = flags.DEFINE_string("data", None, "As in train.py.", required=True)
BACKBONE = flags.DEFINE_string("backbone", "vgg16_tiny", "As in train.py.")
PREPROCESS = flags.DEFINE_string("preprocess", "auto", "As in train.py.")
IMAGE_SIZE = flags.DEFINE_integer("image_size", None, "As in train.py.")
VIEWS = flags.DEFINE_list("views", ["2", "4"], "Views a photo of both runs.")
REPEATS = flags.DEFINE_integer("repeats", 3, "Times each is measured.")
WORKERS = flags.DEFINE_integer("workers", 1, "Of Ray.")


def main(_):
    print(machine.describe_machine())
    few, many = map(int, VIEWS.value)
    rows = []
    for _ in range(REPEATS.value):
        costs = {}
        for engine in ("local", "ray"):
            seconds = [cpu_seconds(engine, x) for x in (few, many)]
            costs[engine] = seconds[1] - seconds[0]
        rows.append(
            [
                f"{costs['local']:.1f}",
                f"{costs['ray']:.1f}",
                f"{costs['ray'] / costs['local']:.2f}",
            ]
        )
        print(*rows[-1], flush=True)
    header = [f"s of CPU for {many - few} more views", "Ray", "ratio"]
    machine.print_table(header, rows)


def cpu_seconds(engine, views):
    """Returns the processor time of filling a new cache."""
    from thaw import TrainConfig
    from thaw.feature_parts import fill_part
    from thaw.training import request
    from thaw.training.engine_filling import fill_caches
    from thaw.training.preparing import preparing
    from thaw.work.options import EngineOptions
    from thaw.work.part import Part

    with tempfile.TemporaryDirectory() as folder:
        config = TrainConfig(
            data=DATA.value,
            cache_dir=folder,
            backbone=BACKBONE.value,
            preprocess=PREPROCESS.value,
            image_size=IMAGE_SIZE.value,
            unfreeze_from="none",
            cache_views=views,
            epochs=views,
            frozen_runtime="tensorflow",
            frozen_precision="float32",
        )
        start = busy_seconds()
        if engine == "local":
            fill_part(config, Part(), verbose=0)
        else:
            options = EngineOptions(engine="ray", workers=WORKERS.value)
            resolved, path = request.resolve(config, None, None, False, {})
            with preparing(resolved, path, verbose=0) as prepared:
                fill_caches(prepared, options)
        return busy_seconds() - start


def busy_seconds():
    """Returns the processor time of all processes since the start."""
    import os

    numbers = Path("/proc/stat").read_text().split("\n")[0].split()[1:]
    user, nice, system, _, _, irq, softirq = map(int, numbers[:7])
    ticks = os.sysconf("SC_CLK_TCK")
    return (user + nice + system + irq + softirq) / ticks


if __name__ == "__main__":
    app.run(main)
