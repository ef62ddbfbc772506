"""Writer of a run folder: everything that one training leaves behind.

Files are replaced whole or not at all, so that a reader never sees half of
one and a failure leaves the one before intact.
"""

import contextlib
import io
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import filelock
import keras
import numpy as np

import plots
from thaw import __version__, atomic
from thaw.atomic import write_csv, write_json, write_text, written_beside
from thaw.errors import UserError
from thaw.runs import model_file, reader, schema
from thaw.runs.paths import check_run_dir


class RunFolder:
    """Writes the files of one run, and opens its model.

    Attributes:
        path: Path of the folder.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self._lock: filelock.BaseFileLock | None = None

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
            with tempfile.TemporaryFile(dir=path):
                pass  # tries whether files can be made in it
        except OSError as error:
            raise UserError(
                f"`run_dir`: cannot write to {path}: {error.strerror}. Give a "
                "folder that can be written."
            ) from error
        return cls(path)

    @classmethod
    def open(cls, path: str | Path) -> "RunFolder":
        """Returns the run folder at `path`, for reading.

        Raises:
            UserError: If it holds no trained model.
        """
        folder = cls(path)
        if folder.path.is_file():
            raise UserError(
                f"{path} is a file. Give the run folder that it is in, e.g. "
                "runs/latest"
            )
        for name in ("model.keras", "class_names.json"):
            if not (folder.path / name).is_file():
                raise UserError(
                    f"{path} is not a run folder with a trained model: it has "
                    f"no {name}. Expected a folder written by train.py, e.g. "
                    "runs/latest"
                )
        return folder

    def lock(self) -> contextlib.AbstractContextManager[None]:
        """Makes this the only one that writes to the folder, until `unlock`.

        Returns:
            A context manager that unlocks it, for those who want one.

        Raises:
            UserError: If another process, or another run in this one, does.
        """
        lock = filelock.FileLock(self.path / ".lock")
        try:
            lock.acquire(blocking=False)
        except filelock.Timeout as error:
            raise UserError(
                f"Another process is using {self.path}. Wait for it to "
                "finish, or stop it."
            ) from error
        self._lock = lock
        return self.unlocked_after()

    def unlock(self) -> None:
        """Lets others write to the folder; does nothing if it isn't locked."""
        if self._lock is not None:
            with contextlib.suppress(OSError):  # Windows: it's open
                (self.path / ".lock").unlink()
            self._lock.release()
            self._lock = None

    @contextlib.contextmanager
    def unlocked_after(self) -> Iterator[None]:
        """Unlocks the folder at the end of a `with` statement."""
        try:
            yield
        finally:
            self.unlock()

    def remove_leftovers(self) -> None:
        """Removes what a killed process had not finished writing."""
        for folder in (self.path, self.path / "checkpoint"):
            atomic.remove_leftovers(folder)
        model_file.remove_leftovers(self.path)

    def save_class_names(self, class_names: Sequence[str]) -> None:
        """Writes class_names.json: the names in the order of their indices."""
        write_json(self.path / "class_names.json", list(class_names))

    def load_class_names(self) -> list[str]:
        """Returns class_names.json, as `reader.load_class_names`."""
        return reader.load_class_names(self.path)

    @property
    def model_path(self) -> Path:
        """Path of the best model."""
        return self.path / "model.keras"

    def save_model(
        self, model: keras.Model, class_names: Sequence[str]
    ) -> None:
        """Writes model.keras, with the class names inside."""
        model_file.save_model(self.model_path, model, class_names)

    def restore_model(self, path: Path) -> None:
        """Makes model.keras the file at `path` again."""
        with written_beside(self.model_path) as beside:
            shutil.copyfile(path, beside)

    def load_model(self) -> keras.Model:
        """Returns the best model, uncompiled; anyone may have made the file.

        Raises:
            UserError: If it is refused, damaged, or of other classes.
        """
        return model_file.load_model(self.model_path, self.load_class_names())

    def save_history(self, history: list[dict]) -> None:
        """Writes history.csv: one row an epoch, a dict per row."""
        self._write_dicts("history.csv", schema.HISTORY_COLUMNS, history)

    def save_steps(self, steps: list[dict]) -> None:
        """Writes steps.csv: loss and rates every few steps, a dict per row."""
        self._write_dicts("steps.csv", schema.STEP_COLUMNS, steps)

    def save_flags(self, lines: list[str]) -> None:
        """Writes flags.txt, which `train.py --flagfile` reads."""
        text = "".join(f"{line}\n" for line in lines)
        write_text(self.path / "flags.txt", text)

    def save_training_photos(
        self, paths: Iterable[str], labels: Iterable[str]
    ) -> None:
        """Writes training_photos.csv: path and class of each photo."""
        rows = chain([schema.PHOTO_COLUMNS], zip(paths, labels, strict=True))
        write_csv(self.path / "training_photos.csv", rows)

    def save_bad_photos(self, bad: list[tuple[str, str]]) -> None:
        """Writes bad_photos.csv: path and reason of what was left out."""
        write_csv(self.path / "bad_photos.csv", [schema.BAD_COLUMNS, *bad])

    def save_label_issues(self, issues: list[dict]) -> None:
        """Writes label_issues.csv, a dict per photo; of none, removes it."""
        if issues:
            self._write_dicts("label_issues.csv", schema.ISSUE_COLUMNS, issues)
        else:
            (self.path / "label_issues.csv").unlink(missing_ok=True)

    def save_predictions(
        self,
        paths: Sequence[str],
        labels: Sequence[int] | np.ndarray,
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
        rows = (
            (path, class_names[label], class_names[of_photo.argmax()])
            + tuple(map(float, of_photo))
            for path, label, of_photo in zip(
                paths, labels, probabilities, strict=True
            )
        )
        titles = (*schema.PREDICTION_COLUMNS, *class_names)
        write_csv(self.path / "predictions.csv", chain([titles], rows))

    def save_metrics(self, numbers: dict) -> None:
        """Writes metrics.json, how good the predictions are."""
        self._write_document("metrics.json", numbers)

    def save_exports(self, facts: dict) -> None:
        """Writes export.json: the exports that are there."""
        self._write_document("export.json", facts)

    def save_labels(self, text: str) -> None:
        """Writes labels.txt: the class names, one a line."""
        write_text(self.path / "labels.txt", text)

    def save_report(self, page: str) -> None:
        """Writes report.html."""
        write_text(self.path / "report.html", page)

    def save_card(self, text: str) -> None:
        """Writes README.md, the model card."""
        write_text(self.path / "README.md", text, "backslashreplace")

    def save_summary(self, summary: dict) -> None:
        """Writes run.json, the summary for programs."""
        self._write_document("run.json", summary)

    def save_figure(self, name: str, figure, dpi: int = 150) -> bytes:
        """Writes a matplotlib figure as a PNG file; returns its content."""
        content = io.BytesIO()
        plots.save_figure(figure, content, dpi)
        with written_beside(self.path / name) as beside:
            beside.write_bytes(content.getvalue())
        return content.getvalue()

    def _write_dicts(self, name, columns, rows):
        """Writes dicts; keys that a dict lacks are empty cells."""
        cells = [[row.get(column, "") for column in columns] for row in rows]
        write_csv(self.path / name, [columns, *cells])

    def _write_document(self, name, content):
        """Writes JSON with its format, and the version that wrote it."""
        stamp = {"format": schema.FORMAT, "thaw": __version__}
        write_json(self.path / name, stamp | content)
