"""Jobs of train.py by their names, as flags of the benchmarks that run one."""

import os
from collections.abc import Sequence

from absl import flags

JOBS = {  # of the table in docs/benchmarks.md, and a large base
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
        "--image_size=150",
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
