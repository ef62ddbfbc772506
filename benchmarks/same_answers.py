"""Predictions of one model in all its formats.

    python export.py runs/latest --format=saved_model,litert,onnx,openvino
    python -m benchmarks.same_answers --run=runs/latest --photos=PHOTOS

asks plain Keras, each export in the run folder by its own runtime, predict.py
and serve.py for every photo, and compares all of them with plain Keras: labels
(photos within 1e-4 of a tie aside) and probabilities.
"""

import importlib
import json
import signal
from pathlib import Path

import keras
import numpy as np
from absl import app

from benchmarks import machine, serve
from thaw.data import decode
from thaw.data.inspect import inspect_photos
from thaw.data.photos import Photos
from thaw.exporting import agreement
from thaw.exporting.variants import VARIANTS
from thaw.inference.outputs import class_probabilities
from thaw.runs.writer import RunFolder


def main(_):
    run = RunFolder.open(serve.RUN.value)
    class_names = run.load_class_names()
    rows = serve.predictions(serve.RUN.value, serve.PHOTOS.value)
    paths = list(rows)
    checked = inspect_photos(Photos.unlabelled(paths))

    def ask(run_one):
        photos = (
            decode.load_photo(path, x.plain).numpy()[None]
            for path, x in zip(paths, checked.inspections, strict=True)
        )
        return agreement.answer(run_one, photos, lambda done: None)

    model = keras.saving.load_model(run.model_path)
    expected = class_probabilities(
        ask(lambda photo: np.array(model(photo))).probabilities
    )
    answers = {"predict.py": probabilities(rows.values(), class_names)}
    process, port = serve.start(32)
    try:
        bodies = {path: Path(path).read_bytes() for path in paths}
        _, sent = serve.send_all(port, bodies, clients=8, number=len(paths))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
    answers["serve.py"] = probabilities((x for *_, x in sent), class_names)
    exports = json.loads((run.path / "export" / "export.json").read_text())
    for variant in VARIANTS:
        if variant.name in exports["exports"]:
            module = importlib.import_module(f"thaw.exporting.{variant.format}")
            run_one = module.open_runner(run.path / "export" / variant.path)
            answers[variant.name] = ask(run_one).probabilities
    print(machine.describe_machine(), flush=True)
    # One folder per class.
    labels = np.array([class_names.index(Path(x).parent.name) for x in paths])
    machine.print_table(
        ["", "photos", "other labels", "differs by", "accuracy"],
        [
            row(name, agreement.compare(expected, received, labels))
            for name, received in {"Keras": expected, **answers}.items()
        ],
    )


def probabilities(answers, class_names):
    return np.array(
        [[float(answer[name]) for name in class_names] for answer in answers]
    )


def row(name, compared):
    return [
        name,
        compared.photos,
        compared.labels_differ,
        f"{compared.largest_difference:.1e}",
        f"{compared.accuracy:.4f}",
    ]


if __name__ == "__main__":
    app.run(main)
