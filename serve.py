"""Starts a page on this machine to try a model that train.py left behind.

    python serve.py runs/latest

Drop photos on the page: it says what is on them, how sure it is, and where it
looks (Grad-CAM). Programs send a photo to POST /predict, and get the JSON that
predict.py prints:

    curl --data-binary @photo.jpg http://127.0.0.1:7860/predict

Only this machine can reach it, unless --host says otherwise. Ctrl-C ends it.
"""

import os
import signal
import sys
import tempfile
import threading
from pathlib import Path

from absl import flags

from thaw.cli import app
from thaw.data import MAX_PIXELS
from thaw.errors import UserError
from thaw.runs.paths import follow_link

app.section("Flags")
_HOST = flags.DEFINE_string(
    "host",
    "127.0.0.1",
    "Address to listen at. At any other than this machine's own there is no "
    "password, and what is sent can be read on the way.",
)
_PORT = flags.DEFINE_integer(
    "port",
    7860,
    "Port to listen at; 0: any that is free, which is said.",
    lower_bound=0,
    upper_bound=65535,
)
_MAX_MEGABYTES = flags.DEFINE_integer(
    "max_megabytes",
    32,
    "Larger uploads are refused.",
    lower_bound=1,
)
_MAX_PIXELS = flags.DEFINE_integer(
    "max_pixels",
    MAX_PIXELS,
    "Photos with more cannot be used.",
    lower_bound=1,
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size",
    32,
    "Photos that wait are computed together, at most so many.",
    lower_bound=1,
)


def main(argv):
    if len(argv) != 2:
        raise UserError(
            "Expected one run folder, e.g. python serve.py runs/latest"
        )
    from thaw.serving.page import build_page
    from thaw.serving.server import Server

    run_dir = str(follow_link(argv[1]))
    server = Server(_HOST.value, _PORT.value)
    model, facts = load(run_dir)
    with tempfile.TemporaryDirectory(prefix="thaw-serve-") as folder:
        model.warm_up(folder)
        stop = stop_request()
        server.start(
            model,
            build_page(facts),
            facts,
            most_bytes=_MAX_MEGABYTES.value * 1_000_000,
            folder=folder,
        )
        say_where(server, run_dir)
        while not stop.wait(1):  # without end, Windows would not hear Ctrl-C
            pass
        print("Stopping", file=sys.stderr)
        server.stop()
        model.close()
    return 0


def load(run_dir: str):
    """Returns the `ServedModel` of a run folder, and what the page says of it.

    Raises:
        UserError: If there is no trained model in it.
    """
    with app.without_startup_remarks():
        from thaw.device import prepare_device
        from thaw.runs.writer import RunFolder

        prepare_device()
        run = RunFolder.open(run_dir)
        model = run.load_model()
    from thaw.serving.model import ServedModel

    class_names = run.load_class_names()
    served = ServedModel(
        model, class_names, _MAX_PIXELS.value, _BATCH_SIZE.value
    )
    facts = {
        "run": Path(run_dir).resolve().name,
        "classes": class_names,
        **facts_of_run(run_dir),
        "grad_cam": served.has_pictures,
        "max_megabytes": _MAX_MEGABYTES.value,
        "max_pixels": _MAX_PIXELS.value,
    }
    return served, facts


def facts_of_run(run_dir: str) -> dict:
    """Returns backbone, accuracy and photos of run.json, None if unknown."""
    from thaw.runs import reader

    summary = reader.load_summary(run_dir) or {}
    backbone = summary.get("backbone")
    photos = summary.get("photos", {}).get("validation", {})
    return {
        # Of a file its name only: where it lies is nobody's business.
        "backbone": backbone and os.path.basename(backbone),
        "val_accuracy": summary.get("val_accuracy"),
        "val_photos": sum(photos.values()) or None,
    }


def stop_request() -> threading.Event:
    """Returns what is set by Ctrl-C or SIGTERM; a second one ends at once."""
    stop = threading.Event()

    def request(number, frame):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, request)
    return stop


def say_where(server, run_dir: str) -> None:
    """Prints the address, and what to know about it."""
    print(f"{run_dir} is served at {server.url()}  (Ctrl-C ends it)")
    if server.names is None:
        print(
            "Whoever can reach this machine can use it: there is no password, "
            "and what is sent can be read on the way.",
            file=sys.stderr,
        )
    sys.stdout.flush()


if __name__ == "__main__":
    app.run(main)
