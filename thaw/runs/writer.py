"""The run folder: everything one training run leaves behind.

The only reader and writer of it. Every file is written beside its place,
flushed to the disk and renamed, so that a reader never sees half of one and a
failure leaves the one before intact.
"""

import contextlib
import csv
import json
import os
import re
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

from thaw.errors import UserError
from model_zoo.safe_loading import load
from model_zoo.safe_loading.by_name import MODEL_WANTED
from thaw.runs import reader
from thaw.runs.paths import check_run_dir

HISTORY_COLUMNS = (
    "stage",
    "epoch",
    "seconds",
    "loss",
    "accuracy",
    "val_loss",
    "val_accuracy",
    "learning_rate",
)
BAD_COLUMNS = ("path", "reason")
PHOTO_COLUMNS = ("path", "label")
ISSUE_COLUMNS = ("path", "side", "label", "suggested", "margin")
STEP_COLUMNS = (
    "stage",
    "step",
    "loss",
    "rate_head",
    "rate_upper",
    "rate_lower",
)


# `_written_beside` and `Checkpoints` name by process what is not whole yet.
_LEFTOVER = re.compile(r"\..+\.\d+|\.saved\.keras")


class RunFolder:
    """Writes and reads the files of one run.

    Attributes:
        path: Path of the folder.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)

    @classmethod
    def create(cls, path: str | Path) -> "RunFolder":
        """Returns a new run folder.

        Raises:
            UserError: If it exists and is not empty, or cannot be made.
        """
        path = Path(path)
        check_run_dir(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
            with _written_beside(path / "class_names.json"):
                pass  # tries whether files can be made in it
            (path / "class_names.json").unlink()
        except OSError as error:
            raise UserError(
                f"--run_dir: cannot write to {path}: {error.strerror}. Give a "
                "folder that can be written."
            ) from error
        return cls(path)

    @classmethod
    def open(cls, path: str | Path) -> "RunFolder":
        """Returns the run folder at `path`, for reading.

        Raises:
            UserError: If it holds no trained model.
        """
        run = cls(path)
        if run.path.is_file():
            raise UserError(
                f"{path} is a file. Give the run folder that it is in, e.g. "
                "runs/latest"
            )
        for name in ("model.keras", "class_names.json"):
            if not (run.path / name).is_file():
                raise UserError(
                    f"{path} is not a run folder with a trained model: it has "
                    f"no {name}. Expected a folder that train.py wrote, e.g. "
                    "runs/latest"
                )
        return run

    def lock(self) -> None:
        """Makes this the only process at work in the folder, until it ends.

        Does nothing on Windows, which has no such locks.

        Raises:
            UserError: If another one is.
        """
        if fcntl is None:
            return
        # The folder itself, so that no file is left; closed by the system.
        self._lock = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(
                f"Another process is at work in {self.path}. Wait for its end, "
                "or stop it."
            ) from error

    def remove_leftovers(self) -> None:
        """Removes what a killed process had not finished writing."""
        for folder in (self.path, self.path / "checkpoint"):
            for path in folder.glob(".*"):
                if _LEFTOVER.fullmatch(path.name):
                    if path.is_dir():
                        shutil.rmtree(path)
                    else:
                        path.unlink()

    def save_class_names(self, class_names: Sequence[str]) -> None:
        self._write_json("class_names.json", list(class_names))

    def load_class_names(self) -> list[str]:
        """Returns the names of the classes, in the order of their indices.

        Raises:
            UserError: If they are not what train.py writes.
        """
        return reader.load_class_names(self.path)

    def save_model(
        self, model: keras.Model, class_names: Sequence[str]
    ) -> None:
        """Writes `model` to model.keras, with the class names inside.

        They are the key `class_names` of its metadata.json; Keras reads such a
        file like any other.
        """
        # Without the optimizer of build_model, whose state is not the run's:
        # Keras would warn about it each time the file is opened.
        plain = keras.Model(model.input, model.output, name=model.name)
        saved = self.path / ".saved.keras"
        try:
            plain.save(saved)
            with (
                zipfile.ZipFile(saved) as source,
                _written_beside(self.path / "model.keras") as beside,
                zipfile.ZipFile(beside, "w") as target,
            ):
                for member in source.infolist():
                    content = source.read(member)
                    if member.filename == "metadata.json":
                        metadata = json.loads(content)
                        metadata["class_names"] = list(class_names)
                        content = json.dumps(metadata)
                    target.writestr(member, content)
        finally:
            saved.unlink(missing_ok=True)

    def restore_model(self, path: Path) -> None:
        """Makes model.keras the file at `path` again."""
        with _written_beside(self.model_path) as beside:
            shutil.copyfile(path, beside)

    @property
    def model_path(self) -> Path:
        """Path of the kept model."""
        return self.path / "model.keras"

    def load_model(self) -> keras.Model:
        """Returns the kept model, uncompiled; anyone may have made the file.

        Raises:
            UserError: If it is refused, damaged, or of other classes.
        """
        model = load.load_model(self.model_path, MODEL_WANTED)
        num_classes = load.check_whole_model(model, str(self.model_path))
        class_names = self.load_class_names()
        if len(class_names) != num_classes:
            raise UserError(
                f"{self.model_path} tells {num_classes} classes apart, and "
                f"class_names.json names {len(class_names)}."
            )
        return model

    def save_history(self, history: list[dict]) -> None:
        """Writes history.csv: one row an epoch, a dict per row."""
        self._write_csv("history.csv", HISTORY_COLUMNS, history)

    def save_steps(self, steps: list[dict]) -> None:
        """Writes steps.csv: loss and rates every few steps, a dict per row."""
        self._write_csv("steps.csv", STEP_COLUMNS, steps)

    def save_flags(self, lines: list[str]) -> None:
        """Writes flags.txt, which `train.py --flagfile` reads."""
        with _written_beside(self.path / "flags.txt") as beside:
            text = "".join(f"{line}\n" for line in lines)
            # Names of files are bytes; not every one is valid UTF-8.
            beside.write_bytes(os.fsencode(text))

    def save_training_photos(
        self, paths: Sequence[str], labels: Sequence[str]
    ) -> None:
        """Writes training_photos.csv: path and class of each photo."""
        rows = zip(paths, labels, strict=True)
        self._write_rows("training_photos.csv", [PHOTO_COLUMNS, *rows])

    def save_bad_photos(self, bad: list[tuple[str, str]]) -> None:
        """Writes bad_photos.csv: path and reason of what was left out."""
        rows = [dict(zip(BAD_COLUMNS, row, strict=True)) for row in bad]
        self._write_csv("bad_photos.csv", BAD_COLUMNS, rows)

    def save_label_issues(self, issues: list[dict]) -> None:
        """Writes label_issues.csv, a dict per photo; of none, removes it."""
        if issues:
            self._write_csv("label_issues.csv", ISSUE_COLUMNS, issues)
        else:
            (self.path / "label_issues.csv").unlink(missing_ok=True)

    def save_predictions(
        self,
        paths: Sequence[str],
        labels: Sequence[int],
        probabilities: np.ndarray,
        class_names: Sequence[str],
    ) -> None:
        """Writes predictions.csv: path, label, predicted, and the classes.

        Args:
            paths: Path of each photo, (N,).
            labels: Its class, int (N,).
            probabilities: Of the classes, float (N, C).
            class_names: Names of the classes, which are titles of columns.
        """
        rows = [
            (path, class_names[label], class_names[of_photo.argmax()])
            + tuple(map(float, of_photo))
            for path, label, of_photo in zip(
                paths, labels, probabilities, strict=True
            )
        ]
        titles = ("path", "label", "predicted", *class_names)
        self._write_rows("predictions.csv", [titles, *rows])

    def save_metrics(self, numbers: dict) -> None:
        """Writes metrics.json, how good the predictions are."""
        self._write_json("metrics.json", numbers)

    def save_exports(self, facts: dict) -> None:
        """Writes export.json: the copies in other formats that are there."""
        self._write_json("export.json", facts)

    def save_labels(self, text: str) -> None:
        """Writes labels.txt: the class names, one a line."""
        with _written_beside(self.path / "labels.txt") as beside:
            beside.write_text(text, "utf-8")

    def save_report(self, page: str) -> None:
        """Writes report.html."""
        with _written_beside(self.path / "report.html") as beside:
            beside.write_text(page, "utf-8")

    def save_card(self, text: str) -> None:
        """Writes README.md, the model card."""
        with _written_beside(self.path / "README.md") as beside:
            beside.write_text(text, "utf-8", "backslashreplace")

    def save_summary(self, summary: dict) -> None:
        """Writes run.json, the summary for programs."""
        self._write_json("run.json", summary)

    def save_figure(self, name: str, figure, dpi: int = 150) -> None:
        """Writes a matplotlib figure as a PNG file."""
        with _written_beside(self.path / name) as beside:
            figure.savefig(beside, format="png", dpi=dpi)

    def _write_csv(self, name, columns, rows):
        """Writes dicts; keys that a dict lacks are empty cells."""
        cells = [[row.get(column, "") for column in columns] for row in rows]
        self._write_rows(name, [columns, *cells])

    def _write_rows(self, name, rows):
        with _written_beside(self.path / name) as beside:
            # Names of files are bytes; not every one is valid UTF-8.
            with open(
                beside,
                "w",
                newline="",
                encoding="utf-8",
                errors="surrogateescape",
            ) as file:
                csv.writer(file).writerows(rows)

    def _write_json(self, name, value):
        text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
        with _written_beside(self.path / name) as beside:
            # Names of files are bytes; what is no UTF-8 becomes \\udcff, which
            # JSON knows.
            beside.write_text(text, "utf-8", "backslashreplace")


def point_latest_at(path: str | Path) -> None:
    """Makes the link `latest` beside the run folder `path` point to it.

    Raises:
        OSError: If there cannot be links, or `latest` is not one.
    """
    path = Path(path)
    beside = path.parent / f".latest.{os.getpid()}"
    try:
        beside.symlink_to(path.name)
        os.replace(beside, path.parent / "latest")
    finally:
        beside.unlink(missing_ok=True)


@contextlib.contextmanager
def _written_beside(path):
    """Yields a path to write to, which becomes `path` if all went well."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield beside
        with open(beside, "ab") as file:
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
