"""--resume: where a run goes on, what has to be the same, why it stopped."""

import errno
import hashlib
import os
import platform
import shlex
import shutil
from pathlib import Path

from absl import flags

from model_zoo.backbones import is_file
from thaw.cli import app
from thaw.cli import train_flags as given
from thaw.errors import NotFinite, UserError
from thaw.runs.paths import follow_link
from thaw.training import plan_stages

# They change nothing of what is computed, or what they change is compared as
# what it leads to: the photos and their sides.
_FREE_FLAGS = {
    "cache_dir",
    "cache_limit_gb",
    "checkpoint_minutes",
    "data",
    "label_regex",
    "limit",
    "max_pixels",
    "skip_bad",
    "smooth_curves",
    "validation_data",
    "validation_fraction",
}
OWN_FLAGS = ("resume", "resume_anyway", "run_dir")  # not those of the run
_ENVIRONMENT = (
    "TF_ENABLE_ONEDNN_OPTS",
    "ONEDNN_MAX_CPU_ISA",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "OMP_NUM_THREADS",
)
_VARIABLES_KEPT = 8  # of the size of all: two checkpoints, the model, a spare


def resumed_run_dir() -> Path | None:
    """Returns the run folder to go on in, or None.

    Raises:
        UserError: If there is nothing to go on with.
    """
    if given.RESUME.value is None:
        return None
    run_dir = follow_link(given.RESUME.value)
    if given.RUN_DIR.value is not None:
        raise UserError("Give --resume or --run_dir, not both.")
    if (run_dir / "run.json").exists():
        from thaw.training.checkpoints import Checkpoints

        Checkpoints(run_dir / "checkpoint").remove()  # killed before it did
        flags_file = shlex.quote(f"{run_dir}/flags.txt")
        raise UserError(
            f"--resume: the run in {run_dir} has ended. To repeat it, longer: "
            f"python train.py --flagfile={flags_file} --epochs=..."
        )
    return run_dir


def make_paths_absolute() -> None:
    """Makes the flags that are paths hold from any folder: flags.txt is read.

    A run may go on, or be repeated, from another one than it began in.
    """
    for flag in (given.DATA, given.VALIDATION_DATA, given.WEIGHTS):
        if flag.value and flag.value != "demo" and os.path.exists(flag.value):
            flags.FLAGS[flag.name].value = os.path.abspath(flag.value)
    if is_file(given.BACKBONE.value or ""):
        path = os.path.abspath(given.BACKBONE.value)
        flags.FLAGS["backbone"].value = path
    if given.CACHE_DIR.value:
        path = os.path.abspath(given.CACHE_DIR.value)
        flags.FLAGS["cache_dir"].value = path


def all_flags() -> dict:
    """Returns the values of all flags of train.py, by name."""
    return {
        flag.name: flag.value
        for flag in flags.FLAGS.get_key_flags_for_module("thaw.cli.train_flags")
    }


def conditions(sides, planned, stage_inputs, device: str) -> dict:
    """Returns what a run's numbers depend on, by name, as JSON can hold it.

    Args:
        sides: `PhotoIndex` and `Contents` of each side.
        planned: `thaw.training.stage.Stage` of each stage.
        stage_inputs: `thaw.cache.plan.StageInput` of each stage.
        device: Text of `prepare_device`.
    """
    import keras
    import numpy as np
    import tensorflow as tf

    free = _FREE_FLAGS.union(OWN_FLAGS)
    if given.SCHEDULE.value == "constant":
        free.add("epochs")  # the rates of those done stay as they were
    values = {
        f"--{name}": value
        for name, value in all_flags().items()
        if name not in free
    }
    photos = {}
    for side, (index, contents) in zip(
        ("training photos", "validation photos"), sides, strict=True
    ):
        facts = [contents.fingerprint(), index.labels.tobytes().hex()]
        text = " ".join((*facts, *index.class_names))
        photos[side] = hashlib.sha256(text.encode()).hexdigest()[:16]
    return {
        **values,
        **photos,
        "stages": [stage.name for stage in planned],
        "views kept where the disk allows no more": [
            cache.num_views if cache.lacks_room else None
            for cache in (x.train_cache for x in stage_inputs)
        ],
        "device": device,
        "processors": _num_processors(),
        "processor": _processor(),
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        **{name: os.environ.get(name) for name in _ENVIRONMENT},
    }


def _num_processors():
    """Returns how many processors this process may use: threads go by it."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _processor():
    """Returns its name: what it can do decides the order of additions."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return f"{platform.machine()} {platform.processor()}"


def load_checkpoint(checkpoints, now: dict):
    """Returns the `Checkpoint` to go on from; None: there is none yet.

    Args:
        checkpoints: `Checkpoints` of the run.
        now: What `conditions` returns.

    Raises:
        UserError: If something has changed since, but for --resume_anyway.
    """
    if given.RESUME.value is None:
        return None
    checkpoint = checkpoints.load()
    if checkpoint is None:
        print("There is no checkpoint yet: the run begins again")
        return None
    before = checkpoint.state["conditions"]
    changed = [
        f"  {name}: was {before.get(name)}, is {now.get(name)}"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]
    if changed:
        text = "\n".join(changed)
        if not given.RESUME_ANYWAY.value:
            raise UserError(
                "The run cannot go on as it would have, because this has "
                f"changed:\n{text}\nUndo that, or go on all the same: "
                "--resume_anyway"
            )
        print(f"The run goes on, not as it would have:\n{text}")
    if checkpoint.state["place"]["stage"] >= len(now["stages"]):
        raise UserError(
            "The run is in a stage that is not asked for any more. Leave out "
            "--epochs, or give more."
        )
    return checkpoint


def check_room(model, folder: Path) -> None:
    """Ends the run if its files will plainly not fit on the disk."""
    import numpy as np

    size = sum(4 * int(np.prod(x.shape)) for x in model.variables)
    held = sum(x.stat().st_size for x in folder.rglob("*") if x.is_file())
    needed = _VARIABLES_KEPT * size - held
    free = shutil.disk_usage(folder).free
    if free < needed:
        way_out = "Free some"
        if given.RESUME.value is None:
            way_out += ", or give --run_dir on another disk"
        app.exit_with(
            1,
            f"The run needs about {needed / 1e6:,.0f} MB for checkpoints and "
            f"model, and {folder} has {free / 1e6:,.0f} MB left. {way_out}.",
        )


def why_stopped(error, sides, run_dir: Path) -> tuple[int, str, str]:
    """Returns the exit status of a run, why it ended, and how it may go on.

    Args:
        error: Ctrl-C, a loss that is no number, a full disk, or TensorFlow's.
        sides: `PhotoIndex` and `Contents` of each side.
        run_dir: The run folder.

    Raises:
        Exception: `error` itself, where there is no plain word for it.
    """
    import numpy as np
    import tensorflow as tf

    from thaw.data.files import shown

    go_on = f"python train.py --resume={shlex.quote(str(run_dir))}"
    if isinstance(error, KeyboardInterrupt):
        status = getattr(error, "status", 130)
        return status, str(error) or "Stopped by Ctrl-C.", f"Go on: {go_on}"
    if isinstance(error, NotFinite):
        lower = _lower_rate(error.stage)
        return (
            1,
            str(error),
            f"Go on from before it, at a tenth of the rate: {go_on} {lower} "
            "--resume_anyway",
        )
    if isinstance(error, FloatingPointError):  # the learning-rate finder's
        return 1, str(error), f"Then: {go_on} --resume_anyway"
    if isinstance(error, OSError):
        if error.errno not in app.DISK_ERRORS:
            raise error
        where = Path(error.filename).parent if error.filename else run_dir
        way_on = "Repair that; then"
        if error.errno not in (errno.EROFS, errno.EIO):
            way_on = "Make room; then"
        why = f"Cannot write to {where}: {error.strerror}."
        return 1, why, f"{way_on}: {go_on}"
    if isinstance(error, tf.errors.ResourceExhaustedError):
        size = given.BATCH_SIZE.value
        return (
            1,
            f"There is not enough memory for --batch_size={size}.",
            f"Begin a new run with --batch_size={max(size // 2, 1)}; or, where "
            f"there is more memory: {go_on}",
        )
    changed = [
        contents.paths[row]
        for _, contents in sides
        for row in np.flatnonzero(
            ~contents.unchanged(np.arange(len(contents.paths)))
        )
    ]
    if not changed:
        raise error
    return (
        1,
        f"{shown(changed[0])} has been changed or taken away since the run "
        "checked it.",
        f"Put it back; then: {go_on}",
    )


def _lower_rate(stage_name):
    """Returns the flag of a tenth of the learning rate of a stage."""
    flag = given.LEARNING_RATE
    if stage_name == "head":
        flag = given.HEAD_LEARNING_RATE
    _, rate = plan_stages.read_rates(flag)
    lower = "..." if rate is None else f"{rate / 10:g}"
    return f"--{flag.name}={lower}"
