"""export_run: a run's model in other formats, each compared with Keras."""

import dataclasses
import importlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from thaw import isolation
from thaw.data.outside import check_outside_data
from thaw.data.photos import Photos
from thaw.errors import UserError, first_line
from thaw.exporting import agreement, classifier, saved_model
from thaw.exporting.agreement import Agreement, Answers
from thaw.exporting.folder import ExportFolder
from thaw.exporting.photos import (
    NotMade,
    choose_photos,
    load_photos,
    load_training_photos,
)
from thaw.exporting.variants import Source, choose_variants
from thaw.progress import Progress, heavy_imports, say
from thaw.runs import reader
from thaw.tables import format_row, rule

_BLACK = np.zeros((1, 64, 64, 3), "float32")
_HEAD = "export", "size", "differs by", "other labels", "accuracy", "ms a photo"
_WIDTHS = 14, 9, 10, 12, 8, 10


@dataclasses.dataclass(frozen=True)
class Export:
    """A run's model in another format, or the reason why there is none.

    Attributes:
        name: Name of the variant, e.g. `litert_int8`.
        path: Path of the file or folder; None if it is not handed over.
        size: Bytes; None if it could not be made.
        agreement: Agreement with the Keras model, or None likewise.
        milliseconds: Median time of a photo, alone, on this CPU, or None.
        refused: Why it is not handed over; None: it is.
    """

    name: str
    path: Path | None = None
    size: int | None = None
    agreement: Agreement | None = None
    milliseconds: float | None = None
    refused: str | None = None


@isolation.preserved()
def export_run(
    run,
    formats: str | Sequence[str] = "saved_model",
    *,
    data: str | Path | None = None,
    output_dir: str | Path | None = None,
    limit: int = 1000,
    max_accuracy_loss: float = 0.02,
) -> list[Export]:
    """Exports the model of a run, and returns an `Export` for each variant.

    Each is run by its own runtime, on the CPU, on photos that Keras predicts
    as well, and handed over if its answers agree. export.json in the folder
    lists those that are there. The model card of the run does not change;
    `thaw.reports.model_card` makes one that lists them.

    Args:
        run: `thaw.Run`.
        formats: One or more of `saved_model`, `litert` (in float32, float16
            and int8), `onnx` and `openvino`.
        data: Labelled photos to compare on, as `thaw.fine_tune` takes them;
            None: the run's validation photos.
        output_dir: Folder to write to; None: `export` in the run folder.
        limit: Number of photos to compare on, at most; spread evenly.
        max_accuracy_loss: Accuracy that float16 and int8 may lose, as a share.

    Raises:
        UserError: If a format is unknown, a package is missing, or photos or
            folder don't fit.
    """
    variants = choose_variants(formats)
    if limit < 1:
        raise UserError(f"`limit` must be at least 1. Received: {limit}")
    output_dir = Path(output_dir or run.path / "export")
    if data is not None:
        check_outside_data("output_dir", output_dir, data)
    photos = choose_photos(run, data, limit)
    model_sha256 = reader.file_sha256(run.folder.model_path)
    model = run.folder.load_model()  # its own: what follows changes it
    if not classifier.is_float32(model):
        say("Trained in half precision; compared and written in float32.")
    exact = classifier.build_classifier(model)
    folder = ExportFolder(output_dir, model_sha256, run.class_names)
    with folder.take_over() as work:
        source = Source(
            exact,
            work / "source",
            run.class_names,
            lambda: load_training_photos(run),
        )
        with heavy_imports():
            saved_model.save(exact, source.saved_model)
        comparison = _Comparison(photos, classifier.keras_runner(exact))
        say(f"Compared on {len(photos):,} photos, one at a time, on this CPU")
        for cells in (_HEAD, rule(_WIDTHS)):
            say(format_row(cells, _WIDTHS, numbers=True))
        comparison.say_row("Keras", run.folder.model_path, comparison.expected)
        exports = [
            _export(variant, source, comparison, folder, max_accuracy_loss)
            for variant in variants
        ]
    say(f"In {output_dir}: {', '.join(folder.exports) or 'nothing'}")
    return exports


class _Comparison:
    """Photos, and the answers of Keras to compare others with."""

    def __init__(self, photos: Photos, run_keras: Callable):
        self._photos = photos
        self.expected = self.answers_of(run_keras)

    def answers_of(self, run: Callable) -> Answers:
        """Returns the answers of a runner, computed on the CPU."""
        progress = Progress(len(self._photos))
        try:
            with _cpu():
                photos = load_photos(self._photos)
                return agreement.answer(run, photos, progress)
        finally:
            progress.clear()

    def say_row(self, name: str, path: Path, answers: Answers) -> Export:
        """Prints a row of the table, and returns the same."""
        compared = agreement.compare(
            self.expected.probabilities,
            answers.probabilities,
            self._photos.labels,
        )
        files = [path] if path.is_file() else path.rglob("*")
        size = sum(file.stat().st_size for file in files if file.is_file())
        cells = (
            name,
            f"{size / 1e6:.1f} MB",
            f"{compared.largest_difference:.1e}",
            f"{compared.labels_differ:,}",
            f"{compared.accuracy:.4f}",
            f"{answers.milliseconds:.1f}",
        )
        say(format_row(cells, _WIDTHS, numbers=True))
        return Export(name, path, size, compared, answers.milliseconds)


def _export(variant, source, comparison, folder, max_accuracy_loss):
    """Writes, runs and compares one variant, and hands it over if it may."""
    name, path = variant.name, source.saved_model.parent / variant.path
    try:
        with heavy_imports():
            module = importlib.import_module(f"thaw.exporting.{variant.format}")
            getattr(module, variant.write)(source, path)
            with _cpu():
                run = module.open_runner(path)
                run(_BLACK)  # the first one takes longer, and logs more
        answers = comparison.answers_of(run)
    except (OSError, UserError):
        raise
    except Exception as error:  # of the packages, whatever they raise
        why = str(error)
        if not isinstance(error, NotMade):
            why = f"{type(error).__name__}: {first_line(error)}"
        return Export(name, refused=f"{name} could not be made: {why}")
    export = comparison.say_row(name, path, answers)
    why = agreement.why_refused(
        export.agreement, variant.is_exact, max_accuracy_loss
    )
    folder.withdraw(variant)
    if why is not None:
        refused = f"{name} is not handed over: {why}."
        return dataclasses.replace(export, path=None, refused=refused)
    place = folder.hand_over(variant, export)
    return dataclasses.replace(export, path=place)


def _cpu():
    """Returns a scope: GPUs round otherwise, and most runtimes use none."""
    return tf.device("CPU:0")
