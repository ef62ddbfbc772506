"""Time and memory with many photos, by phase.

    python -m benchmarks.growth --numbers=10000,100000,1000000

Draws as many photos of 48 px, all different, 1% of them with a wrong label. Of
each number it indexes them, checks them (`doctor.py`), trains on the features
of `vgg16_tiny` (`train.py`) a head that is solved, and one by steps, and
predicts them (`predict.py`). Memory is RssAnon: without what is mapped from
files and can be dropped at any time, with the processes that were started. A
million photos take 5 GB of disk, which are free again at the end.
"""

import contextlib
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from absl import app, flags
from PIL import Image

from benchmarks import machine, process

NUMBERS = flags.DEFINE_list("numbers", ["10000", "100000"], "Photos.")
PLACE = flags.DEFINE_string("place", None, "Folder for all of it; none: /tmp.")

_DRAWN_PER_CLASS = 250
_LARGE, _SIDE = 80, 48  # pixels, of what is drawn and of the photos cut from it
_CELLS, _LIGHTER = 6, 16  # of a photo, a side; levels of 255
_WRONG = 100  # of so many photos, one
_INDEX = (
    "import sys\n"
    "from thaw.data.load import load_photos\n"
    "load_photos(sys.argv[1])\n"
)
# Phases, each with the line of stdout that ends it.
_OF_TRAINING = [
    ("index and known checks", "Checked"),
    ("look-alikes", "Training photos"),
    ("start", "Stage head"),
    ("features and head", "Evaluating"),
    ("report", None),
]
_PHASES = {
    "index": [("index", None)],
    "doctor.py": [("index and check", "Checked"), ("look-alikes", None)],
    "train.py": _OF_TRAINING,
    "train.py, dense": _OF_TRAINING,
    "predict.py": [("all", None)],
}


def main(_):
    numbers = sorted(map(int, NUMBERS.value))
    rows, of_scripts, pages = [], {}, []
    with tempfile.TemporaryDirectory(dir=PLACE.value) as place:
        place = Path(place)
        drawn = place / "drawn"
        draw_photos(drawn, numbers[-1])
        for number in numbers:
            folder = place / str(number)
            link_photos(drawn, folder, number)
            for script, usage in run_scripts(place, folder):
                of_scripts[script, number] = 1e6 * usage.seconds / number
                for phase, seconds, memory in by_phase(script, usage):
                    rows.append(
                        [
                            f"{number:,}",
                            script,
                            phase,
                            f"{seconds:.1f}",
                            f"{1e6 * seconds / number:.0f}",
                            f"{memory:.2f}",
                        ]
                    )
                    print(*rows[-1], flush=True)
            page = place / f"run-{number}" / "report.html"
            pages.append(f"{page.stat().st_size / 1e6:.2f}")
    print(machine.describe_machine())
    machine.print_table(
        ["photos", "script", "phase", "s", "\u00b5s a photo", "GB"], rows
    )
    machine.print_table(
        ["script", *(f"{number:,}, \u00b5s a photo" for number in numbers)],
        [
            *(
                [script, *(f"{of_scripts[script, x]:.0f}" for x in numbers)]
                for script in _PHASES
            ),
            ["report.html, MB", *pages],
        ],
    )


def run_scripts(place, folder):
    """Yields the name and the `Usage` of each script on a folder."""
    run_dir = place / f"run-{folder.name}"
    train = [
        "train.py",
        f"--data={folder}",
        "--backbone=vgg16_tiny",
        f"--image_size={_SIDE}",
        "--unfreeze-from=none",
        "--epochs=0",
    ]
    environment = os.environ | {
        "XDG_CACHE_HOME": str(place / f"cache-{folder.name}")
    }
    for script, arguments in {
        "index": ["-c", _INDEX, folder],
        "doctor.py": ["doctor.py", folder, f"--output_dir={place / 'doctor'}"],
        "train.py": [*train, f"--run_dir={run_dir}"],
        "train.py, dense": [
            *train,
            "--head=dense",
            "--head_epochs=1",
            f"--run_dir={run_dir}-dense",
        ],
        "predict.py": ["predict.py", run_dir, folder, "--format=csv"],
    }.items():
        yield (
            script,
            process.run(arguments, environment=environment, sample=memory_of),
        )


def by_phase(script, usage):
    """Yields name, seconds and largest memory in GB of each phase."""
    start = 0.0
    for phase, last_line in _PHASES[script]:
        ends = [
            seconds
            for seconds, line in usage.lines
            if last_line is not None and line.startswith(last_line)
        ]
        end = min(ends, default=usage.seconds)
        samples = [x for seconds, x in usage.samples if start <= seconds <= end]
        yield phase, end - start, max(samples, default=0.0)
        start = end


def memory_of(pid: int) -> float:
    """Returns RssAnon of a process and of those it started, in GB."""
    kilobytes = 0
    with contextlib.suppress(OSError):  # it has ended
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        for line in status.splitlines():
            if line.startswith("RssAnon"):
                kilobytes = int(line.split()[1])
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in children.read_text(encoding="utf-8").split():
                kilobytes += memory_of(int(child)) * 1e9 / 1024
    return kilobytes * 1024 / 1e9


def draw_photos(folder, number):
    """Draws so many photos of two classes, all different."""
    from thaw.demo.demo_set import draw_demo_set

    with tempfile.TemporaryDirectory(dir=PLACE.value) as place:
        draw_demo_set(Path(place) / "large", _DRAWN_PER_CLASS)
        classes = sorted((Path(place) / "large").iterdir())
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            jobs = [
                pool.submit(
                    _draw_class, classes, label, folder, number // len(classes)
                )
                for label in range(len(classes))
            ]
            for job in jobs:
                job.result()


def _draw_class(classes, label, folder, number):
    """Cuts photos out of drawn ones, each in a light of its own."""
    drawn = []
    for path in classes:
        files = sorted(path.iterdir())
        photos = [Image.open(x).resize((_LARGE, _LARGE)) for x in files]
        drawn.append([np.asarray(x, "int16") for x in photos])
    rng = np.random.default_rng(label)
    target = folder / classes[label].name
    target.mkdir(parents=True)
    for i in range(number):
        is_wrong = i % _WRONG == 0
        of_class = drawn[label - is_wrong]
        photo = of_class[rng.integers(len(of_class))]
        top, left = rng.integers(_LARGE - _SIDE, size=2)
        photo = photo[top : top + _SIDE, left : left + _SIDE]
        light = rng.integers(-_LIGHTER, _LIGHTER, (_CELLS, _CELLS, 1))
        wide = light.repeat(_SIDE // _CELLS, 0).repeat(_SIDE // _CELLS, 1)
        photo = (photo + wide).clip(0, 255).astype("uint8")
        Image.fromarray(photo).save(target / f"{i:06d}.jpg", quality=85)


def link_photos(drawn, folder, number):
    """Makes a folder of the first photos of each class."""
    classes = sorted(drawn.iterdir())
    for class_folder in classes:
        target = folder / class_folder.name
        target.mkdir(parents=True)
        for i in range(number // len(classes)):
            name = f"{i:06d}.jpg"
            os.link(class_folder / name, target / name)


if __name__ == "__main__":
    app.run(main)
