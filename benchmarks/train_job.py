"""Jobs of train.py, of the working tree and of other commits.

Flags of the benchmarks that run one: `--job`, with `--photos` and
`--backbones`; or what follows `--`, which goes to train.py (paths absolute).
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from absl import flags

from benchmarks import process

JOBS = {  # of the table in the README, and a large base on few photos
    "demo": ["--unfreeze-from=block5_conv1"],
    "squeezenet": [
        "--data={photos}",
        "--backbone={backbones}/squeezenet.keras",
        "--preprocess=caffe",
        "--image_size=224",
        "--unfreeze-from=fire9_squeeze1x1",
    ],
    "mobilenet": [
        "--data={photos}",
        "--backbone={backbones}/mobilenet_to_conv_pw_12.keras",
        "--preprocess=tf",
        "--image_size=224",
        "--unfreeze-from=conv_dw_12",
    ],
    "vgg16": [
        "--data={photos}",
        "--backbone=vgg16",
        "--weights=none",
        "--limit=250",
        "--epochs=5",
    ],
}

JOB = flags.DEFINE_enum("job", None, list(JOBS), "A job by its name.")
PHOTOS = flags.DEFINE_string(
    "photos", "cats_vs_dogs", "Photos of the named jobs."
)
BACKBONES = flags.DEFINE_string(
    "backbones", ".", "Folder with the .keras files of the named jobs."
)


def train_flags(given: Sequence[str]) -> list[str]:
    """Returns the flags of train.py: those of the job, then those given."""
    folders = {
        "photos": os.path.abspath(PHOTOS.value),
        "backbones": os.path.abspath(BACKBONES.value),
    }
    named = [flag.format(**folders) for flag in JOBS.get(JOB.value, ())]
    if not named and not given:
        raise SystemExit("Give --job=NAME, or flags of train.py after `--`.")
    return [*named, *given]


def run_job(
    root: Path,
    flags_of_train: Sequence[str],
    sample: Callable[[int], float] | None = None,
) -> tuple[process.Usage, dict]:
    """Runs train.py as on a new machine: nothing is cached, no run is there.

    Args:
        root: Checkout whose train.py runs.
        flags_of_train: Its flags.
        sample: As in `process.run`.

    Returns:
        What it took, and the content of run.json.
    """
    with tempfile.TemporaryDirectory() as folder:
        home, cache, run_dir = (Path(folder, x) for x in ("home", "c", "run"))
        home.mkdir()
        environment = os.environ | {
            "HOME": str(home),
            "XDG_CACHE_HOME": str(cache),
            "PYTHONPATH": str(root),
        }
        places = [f"--run_dir={run_dir}", f"--cache_dir={cache}/thaw"]
        usage = process.run(
            [root / "train.py", *flags_of_train, *places],
            cwd=root,  # where workers of older commits look for modules
            environment=environment,
            sample=sample,
        )
        return usage, json.loads((run_dir / "run.json").read_text())


@contextlib.contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """Checks a commit out into a temporary folder."""
    git = ["git", "-C", str(process.ROOT), "worktree"]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "checkout"
        add = [*git, "add", "--quiet", "--detach", root, commit]
        subprocess.run(add, check=True)
        try:
            # Bytecode is there in the working tree, too.
            compile_all = [sys.executable, "-m", "compileall", "-q", root]
            subprocess.run(compile_all, check=True)
            yield root
        finally:
            subprocess.run([*git, "remove", "--force", root], check=True)
