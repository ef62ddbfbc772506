"""Time and memory with many photos.

    python -m benchmarks.growth

Indexes a million files: seconds, and the largest memory of the process. Then
trains on 1,000, 10,000 and 100,000 small drawn photos (one epoch of the head
and two of the fine-tune stage, an empty cache), and on 2,000 with VGG16 at
150 px: seconds to index, seconds of each part per 1,000 photos, and the
largest memory of the process itself (RssAnon: without what is mapped from
files and can be dropped at any time).
"""

import csv
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from absl import app, flags

from benchmarks import machine

NUMBERS = flags.DEFINE_list("numbers", ["1000", "10000", "100000"], "Photos.")
INDEXED = flags.DEFINE_integer("indexed", 1_000_000, "Files; 0: left out.")
VGG16_PHOTOS = flags.DEFINE_integer("vgg16_photos", 2000, "0: left out.")

ROOT = Path(__file__).parent.parent
_DRAWN_PER_CLASS = 250


def main(_):
    from thaw.demo.demo_set import draw_demo_set

    print(machine.describe_machine())
    rows = []
    with tempfile.TemporaryDirectory() as place:
        drawn = Path(place) / "drawn"
        draw_demo_set(drawn, _DRAWN_PER_CLASS)
        if INDEXED.value:
            folder = Path(place) / "indexed"
            link_photos(drawn, folder, INDEXED.value)
            seconds, gigabytes = measure_index(folder)
            machine.print_table(
                ["files", "s to index", "largest memory, GB"],
                [[INDEXED.value, f"{seconds:.1f}", f"{gigabytes:.2f}"]],
            )
            shutil.rmtree(folder)
        jobs = [
            (int(number), ["--backbone=vgg16_tiny", "--image_size=48"])
            for number in NUMBERS.value
        ]
        if VGG16_PHOTOS.value:
            jobs.append(
                (VGG16_PHOTOS.value, ["--backbone=vgg16", "--weights=none"])
            )
        for number, arguments in jobs:
            rows.append(measure(place, drawn, number, arguments))
            print(rows[-1], flush=True)
    machine.print_table(
        [
            "photos",
            "model",
            "s to index",
            "s in all",
            "s per 1,000 photos, computed",
            "s per 1,000 photos, cached",
            "RssAnon, GB",
        ],
        rows,
    )


def measure(place, drawn, number, arguments):
    """Returns one row of the table."""
    folder = Path(place) / str(number)
    link_photos(drawn, folder, number)
    index_seconds, _ = measure_index(folder)
    run_dir = Path(place) / f"run-{number}-{len(arguments[0])}"
    with tempfile.TemporaryDirectory() as cache_dir:
        seconds, gigabytes = watch(
            [
                "train.py",
                f"--data={folder}",
                f"--run_dir={run_dir}",
                f"--cache_dir={cache_dir}",
                "--cache_views=1",
                "--head_epochs=1",
                "--epochs=2",
                *arguments,
            ]
        )
    with open(run_dir / "history.csv", newline="") as file:
        computed, *_, cached = (
            float(row["seconds"]) for row in csv.DictReader(file)
        )
    return [
        number,
        arguments[0].removeprefix("--backbone="),
        f"{index_seconds:.2f}",
        f"{seconds:.0f}",
        f"{1e3 * computed / number:.2f}",
        f"{1e3 * cached / number:.2f}",
        f"{gigabytes:.2f}",
    ]


def measure_index(folder):
    """Returns the seconds that the index of a folder takes, and its GB."""
    code = (
        "import resource, sys, time\n"
        "from thaw.data.load import load_photos\n"
        "start = time.perf_counter()\n"
        "load_photos(sys.argv[1])\n"
        "print(time.perf_counter() - start)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    printed = subprocess.check_output(
        [sys.executable, "-c", code, folder], cwd=ROOT, text=True
    )
    seconds, kilobytes = map(float, printed.split())
    return seconds, kilobytes * 1024 / 1e9


def link_photos(drawn, folder, number):
    """Makes `number` files, half of each class, of the drawn ones."""
    for class_folder in sorted(drawn.iterdir()):
        sources = sorted(class_folder.iterdir())
        target = folder / class_folder.name
        if target.is_dir():
            continue
        target.mkdir(parents=True)
        for i in range(number // 2):
            os.link(sources[i % len(sources)], target / f"{i:06d}.jpg")


def watch(command):
    """Runs a command; returns its seconds and its largest RssAnon in GB."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    largest = 0

    def sample():
        nonlocal largest
        while process.poll() is None:
            with open(f"/proc/{process.pid}/status", encoding="utf-8") as file:
                for line in file:
                    if line.startswith("RssAnon"):
                        largest = max(largest, int(line.split()[1]))
            time.sleep(0.2)

    sampler = threading.Thread(target=sample)
    sampler.start()
    sampler.join()
    if process.returncode:
        raise SystemExit(f"{command} ended with status {process.returncode}")
    return time.perf_counter() - start, largest * 1024 / 1e9


if __name__ == "__main__":
    app.run(main)
