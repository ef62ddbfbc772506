"""--resume: where a run goes on, and what has to be the same for that."""

import hashlib
import os
import platform
import shlex
import shutil
from pathlib import Path

from absl import flags

import command_line
import train_flags as given
from errors import UserError

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
    run_dir = Path(given.RESUME.value)
    if run_dir.is_symlink():  # runs/latest
        run_dir = run_dir.parent / os.readlink(run_dir)
    if given.RUN_DIR.value is not None:
        raise UserError("Give --resume or --run_dir, not both.")
    if (run_dir / "run.json").exists():
        raise UserError(
            f"--resume: the run in {run_dir} has ended. To repeat it, longer: "
            f"python train.py --flagfile={run_dir}/flags.txt --epochs=..."
        )
    return run_dir


def conditions(sides, stage_inputs, device: str) -> dict:
    """Returns what a run's numbers depend on, by name, as JSON can hold it.

    Args:
        sides: `PhotoIndex` and `Contents` of each side.
        stage_inputs: `training.stage_input.StageInput` of each stage.
        device: Text of `prepare_device`.
    """
    import keras
    import numpy as np
    import tensorflow as tf

    free = _FREE_FLAGS.union(OWN_FLAGS)
    if given.SCHEDULE.value == "constant":
        free.add("epochs")  # the rates of those done stay as they were
    values = {
        f"--{flag.name}": flag.value
        for flag in flags.FLAGS.get_key_flags_for_module("train_flags")
        if flag.name not in free
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
        "views kept where the disk allows no more": [
            cache.num_views if cache.lacks_room else None
            for cache in (x.train_cache for x in stage_inputs)
        ],
        "device": device,
        "processors": _num_processors(),
        "processor": platform.machine(),
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
    return checkpoint


def command(run_dir: Path) -> str:
    """Returns the command that goes on with a run."""
    return f"python train.py --resume={shlex.quote(str(run_dir))}"


def check_room(model, folder: Path) -> None:
    """Ends the run if its files will plainly not fit on the disk."""
    import numpy as np

    size = sum(4 * int(np.prod(x.shape)) for x in model.variables)
    free = shutil.disk_usage(folder).free
    if free < _VARIABLES_KEPT * size:
        command_line.exit_with(
            1,
            f"The run needs about {_VARIABLES_KEPT * size / 1e9:.1f} GB for "
            f"checkpoints and model, and {folder} has {free / 1e9:.1f} GB "
            "left. Free some, or give --run_dir on another disk.",
        )
