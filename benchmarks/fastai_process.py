"""`fastai_recipe` in an environment of its own."""

import os
from pathlib import Path

from benchmarks import process

_LARGEST_DIFFERENCE = 1e-3  # of features, relative to their RMS


def run_recipe(python, task, *arguments) -> process.Usage:
    """Runs a task of `fastai_recipe`.

    Args:
        python: Interpreter of the environment.
        task: Name of the task.
        *arguments: Those of the task.
    """
    environment = dict(os.environ)
    environment.pop("PYTHONPATH", None)
    return process.run(
        [
            Path(__file__).parent / "fastai_recipe.py",
            task,
            *map(str, arguments),
        ],
        python=python,
        cwd=Path.cwd(),
        environment=environment,
    )


def convert_weights(python, base, photos, weights) -> None:
    """Writes the weights of the base for fastai, and checks its features.

    Args:
        python: Interpreter of the environment.
        base: `.keras` file of the base.
        photos: Folder with train/ and validation/.
        weights: `.npz` file to write.
    """
    photo = min(Path(photos, "validation").glob("*/*.jpg"))
    module = ["-m", "benchmarks.torch_weights"]
    process.run([*module, *map(os.path.abspath, (base, photo)), weights])
    (_, difference), *_ = run_recipe(python, "check", weights).lines
    print(f"fastai's features: {float(difference):.1e} of their RMS apart")
    if not float(difference) < _LARGEST_DIFFERENCE:
        raise SystemExit("The weights were not converted rightly.")
