"""A job of train.py beside its floor: what cannot be left out, each alone.

    python -m benchmarks.job_floor --job=squeezenet --photos=cats_vs_dogs \
        --backbones=backbones

Import of TensorFlow and Keras; every photo decoded and resized once, on all
cores; the views warped; the frozen part on the views, photos in memory; steps
and validation on features in memory. Prints these and their sum, then runs
train.py with empty caches, and prints how many times as long it took.
"""

import dataclasses
import math
import os
import tempfile
from pathlib import Path

from absl import app, flags

from benchmarks import jobs, machine, process, train_job

TIMINGS = flags.DEFINE_integer("timings", 5, "Times each part is measured.")
RUNS = flags.DEFINE_integer("runs", 1, "Runs of train.py; the median counts.")

_MEASURED_PHOTOS = 200  # to decode and to warp
_BATCHES = 6  # for the frozen part


@dataclasses.dataclass(frozen=True)
class Cost:
    """A part of the floor.

    Attributes:
        name: What is done.
        seconds: It takes once.
        count: How often a job does it.
    """

    name: str
    seconds: float
    count: int


def main(argv):
    from thaw.cli import app as command

    command.prepare_process()  # as train.py
    command.keep_freed_memory()
    flags_of_train = jobs.train_flags(argv[1:])
    costs = [import_cost()]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        training = begin_training(flags_of_train, Path(folder))
        costs += photo_costs(training)
        costs += frozen_costs(training)
        for stage in training.stages:
            costs += stage_costs(training, stage)
    floor = sum(cost.seconds * cost.count for cost in costs)
    print(f"{machine.describe_machine()}\ntrain.py {' '.join(flags_of_train)}")
    machine.print_table(
        ["", "ms", "times", "s"],
        [
            [
                cost.name,
                f"{1e3 * cost.seconds:.2f}",
                cost.count,
                f"{cost.seconds * cost.count:.1f}",
            ]
            for cost in costs
        ]
        + [["floor", "", "", f"{floor:.1f}"]],
    )
    usages = [
        train_job.run_job(process.ROOT, flags_of_train).usage
        for _ in range(RUNS.value)
    ]
    usage = sorted(usages, key=lambda x: x.seconds)[len(usages) // 2]
    print(
        f"train.py: {usage.seconds:.1f} s, {usage.seconds / floor:.2f} times "
        f"the floor, at {usage.cpu_percent:.0f}% CPU use"
    )


def median_seconds(function, count=1):
    """Returns the seconds of a function that does something `count` times."""
    return machine.median_seconds([function], TIMINGS.value, 1)[0] / count


def import_cost():
    """Returns what the import of TensorFlow and Keras costs."""
    imports = ["-c", "import tensorflow, keras"]
    seconds = median_seconds(lambda: process.run(imports))
    return Cost("import", seconds, 1)


def begin_training(flags_of_train, folder):
    """Returns the `Training` of a job, before its first step."""
    from model_zoo.request import check_request
    from thaw import progress
    from thaw.cli import flags as command_line
    from thaw.cli.commands.train import CONFIGS
    from thaw.data.prepare import find_photos, start_inspection
    from thaw.device import dtype_policy
    from thaw.training import begin
    from thaw.training.resume import Resumption

    given = ["train.py", *flags_of_train, f"--cache_dir={folder / 'features'}"]
    _, (config, *_) = command_line.parse(given, CONFIGS)
    unfreeze_from = check_request(**config.model_arguments())
    with (
        progress.output(silent=True),
        start_inspection(find_photos(config), config) as inspect,
        dtype_policy(config.precision),
    ):
        return begin.begin(
            config.with_absolute_paths(),
            inspect,
            folder / "run",
            unfreeze_from,
            Resumption(),
            callbacks=(),
            verbose=0,
        )


def count_views(training):
    """Returns how many views of training photos the frozen part computes."""
    from thaw.cache.plan import count_computed

    num_views = max(stage.train_cache.num_views for stage in training.stages)
    return count_computed(
        training.stages,
        training.views,
        training.settings.photos_per_epoch,
        num_views,
    ) - len(training.views.validation.photos)


def photo_costs(training):
    """Returns what it costs to decode each photo once, and to warp views."""
    train_views, val_views = training.views.train, training.views.validation
    rows = train_views.order(0)[:_MEASURED_PHOTOS]
    plain = dataclasses.replace(train_views, augment=None)
    batch_size = training.settings.batch_size

    def read(views):
        for _ in views.images(0, rows, batch_size):
            pass

    decode = median_seconds(lambda: read(plain), len(rows))
    costs = [
        Cost(
            "decode, resize a photo",
            decode,
            len(train_views.photos) + len(val_views.photos),
        )
    ]
    if train_views.augment is not None:
        both = median_seconds(lambda: read(train_views), len(rows))
        seconds = max(both - decode, 0.0)
        num_views = training.stages[-1].train_cache.num_views
        warped = num_views * len(train_views.photos)
        costs.append(Cost("warp a view", seconds, warped))
    return costs


def frozen_costs(training):
    """Returns what the frozen part costs for both splits, photos in memory."""
    from thaw.cache.frozen_part import FrozenPart
    from thaw.cache.runtime import DEFAULT_RUNTIME
    from thaw.cache.side_by_side import map_side_by_side

    val_views = training.views.validation
    images = first_images(training)
    settings = training.settings
    boundaries = [(training.stages[-1].boundary, "float32")]
    counts = {settings.runtime: count_views(training)}
    counts[DEFAULT_RUNTIME] = counts.get(DEFAULT_RUNTIME, 0) + len(
        val_views.photos
    )
    costs = []
    for runtime, count in counts.items():
        frozen = FrozenPart(settings.frozen_layers, boundaries, runtime)
        batches = [images] * _BATCHES

        def compute(frozen=frozen, batches=batches):
            return list(map_side_by_side(frozen, batches))

        seconds = median_seconds(compute, sum(map(len, batches)))
        name = f"frozen part, a view ({runtime.describe()})"
        costs.append(Cost(name, seconds, count))
    return costs


def first_images(training):
    """Returns a batch of training photos, float32 (B, H, W, 3)."""
    views, batch_size = training.views.train, training.settings.batch_size
    rows = views.order(0)[:batch_size]
    return next(iter(views.images(0, rows, batch_size))).numpy()


def stage_costs(training, stage):
    """Returns what steps and validation of a stage cost, from memory."""
    import tensorflow as tf

    from model_zoo.unfreeze import unfreeze
    from thaw.training.guard import NaNGuard

    if stage.solver is not None:
        return []
    settings, model = training.settings, training.model
    unfreeze(model, stage.unfreeze_from, settings.train_batch_norm)
    frozen, trained = stage.parts
    trained = NaNGuard(trained.inputs, trained.outputs)
    trained.compile(
        settings.make_optimizer(learning_rate=1e-5),
        loss=settings.loss or model.loss,
        metrics=[training.accuracy],
        steps_per_execution=settings.steps_per_execution,
    )
    views, batch_size = training.views.train, settings.batch_size
    tensors = [
        tf.random.uniform(
            (batch_size, *x.shape[1:]), dtype=stage.train_cache.dtype
        )
        for x in frozen.outputs
    ]
    labels = views.labels[views.order(0)[:batch_size]]
    batch = (tuple(tensors), labels)
    batches = iter(tf.data.Dataset.from_tensors(batch).repeat())
    trained.make_train_function()
    trained.make_test_function()
    steps = trained.steps_per_execution
    step, validation = (
        median_seconds(lambda run=run: run(batches), steps)
        for run in (trained.train_function, trained.test_function)
    )
    val_steps = math.ceil(len(training.views.validation.photos) / batch_size)
    return [
        Cost(
            f"{stage.name}: step", step, stage.epochs * settings.steps_per_epoch
        ),
        Cost(
            f"{stage.name}: validation step",
            validation,
            stage.epochs * val_steps,
        ),
    ]


if __name__ == "__main__":
    app.run(main)
