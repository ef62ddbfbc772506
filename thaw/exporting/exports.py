"""The copies that export.py writes: photos, the folder, and what is in it."""

import importlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from model_zoo.weights import first_line
from thaw.cli import app
from thaw.data import decode, inspection_cache, quality_report
from thaw.data.files import shown
from thaw.data.inspection_cache import Contents
from thaw.errors import UserError
from thaw.exporting import VARIANTS, Source, Variant, saved_model
from thaw.exporting.agreement import Agreement, Answers
from thaw.exporting.classifier import INPUT, OUTPUT, labels_text
from thaw.runs import reader
from thaw.runs.writer import RunFolder

_BLACK = np.zeros((1, 64, 64, 3), "float32")
_SAMPLES = 100  # training photos that the ranges of int8 are taken from


class NotMade(RuntimeError):
    """A copy could not be written, or does not run."""


def choose_photos(
    paths: Sequence[str], labels: np.ndarray, most: int
) -> tuple[Contents, np.ndarray]:
    """Returns photos that can be used, spread evenly, and their labels.

    Raises:
        UserError: If there are none.
    """
    rows = decode.spread(len(paths), most)
    checked = inspection_cache.check_contents(
        [paths[row] for row in rows], inspection_cache.default_memo()
    )
    usable = [x for x, look in enumerate(checked.found) if look.reason is None]
    if not usable:
        text = quality_report.describe_bad(checked)
        raise UserError(f"{text}\nGive photos to compare on: --data")
    if len(usable) < len(rows):
        print(f"{quality_report.describe_bad(checked)}\nThey are left out.")
    return checked.take(usable), labels[rows][usable]


def load_photos(photos: Contents) -> Iterator[np.ndarray]:
    """Yields raw photos, float32 (1, H, W, 3), as predict.py decodes them.

    Raises:
        UserError: If one has changed since it was checked.
    """
    for path, look in zip(photos.paths, photos.found, strict=True):
        try:
            yield decode.load_photo(os.fsencode(path), look.plain).numpy()[None]
        except tf.errors.OpError as error:
            raise UserError(f"{path} changed while it was read.") from error


def load_training_photos(paths: Sequence[str]) -> Iterator[np.ndarray]:
    """Yields some training photos, as `load_photos` does.

    Raises:
        NotMade: If none can be read.
    """
    if not paths:
        raise NotMade(
            "the run folder has no training_photos.csv; a new run leaves one."
        )
    rows = decode.spread(len(paths), _SAMPLES)
    checked = inspection_cache.check_contents(
        [paths[row] for row in rows], inspection_cache.default_memo()
    )
    usable = [x for x, look in enumerate(checked.found) if look.reason is None]
    if not usable:
        raise NotMade(
            "none of its training photos is where it was, e.g. "
            f"{shown(paths[0])}."
        )
    yield from load_photos(checked.take(usable))


class Copies:
    """A folder of copies of one model, with what is known of each.

    A copy is written out of sight, and takes its place when it is handed over.
    Copies of the model as it was before are removed.
    """

    def __init__(
        self,
        folder: Path,
        model_sha256: str,
        classifier: keras.Model,
        class_names: list[str],
        samples: Callable[[], Iterator[np.ndarray]],
    ):
        """Takes the folder over.

        Args:
            folder: Folder of an earlier export, an empty one, or none.
            model_sha256: Of model.keras, when it was read.
            classifier: Its `build_classifier`.
            class_names: Names of the classes.
            samples: Function that yields training photos.

        Raises:
            UserError: If the folder holds other things.
        """
        self._folder = RunFolder(folder)
        try:
            os.fspath(folder.resolve()).encode()
        except UnicodeEncodeError as error:
            raise UserError(
                f"TensorFlow cannot write to {shown(str(folder))}, a name that "
                "is no UTF-8. Give another folder: --output_dir"
            ) from error
        if folder.is_dir() and any(folder.iterdir()):
            if not (folder / "export.json").is_file():
                raise UserError(
                    f"{folder} is not empty, and export.py did not write it. "
                    "Give another folder: --output_dir"
                )
        folder.mkdir(parents=True, exist_ok=True)
        self._folder.lock()
        self._folder.remove_leftovers()
        self._beside = folder / f".copies.{os.getpid()}"
        self._source = Source(
            classifier, self._beside / "source", class_names, samples
        )
        self._model_sha256 = model_sha256
        self._known = {}
        self._keep_known()

    def __enter__(self):
        self._beside.mkdir()
        try:
            with app.without_startup_remarks():
                saved_model.save(
                    self._source.classifier, self._source.saved_model
                )
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception):
        shutil.rmtree(self._beside)

    def names(self) -> list[str]:
        """Returns the names of the variants that are there."""
        return list(self._known)

    def write(
        self, variant: Variant, answer: Callable[[Callable], Answers]
    ) -> tuple[Path, Answers]:
        """Returns where a new copy is, and its answers.

        Args:
            variant: One of `formats.VARIANTS`.
            answer: Function of a runner that returns its answers.

        Raises:
            NotMade: If the model cannot be written, or run, in this format.
        """
        path = self._beside / variant.path
        try:
            with app.without_startup_remarks():
                module = importlib.import_module(
                    f"thaw.exporting.{variant.format}"
                )
                getattr(module, variant.write)(self._source, path)
                run = module.open_runner(path)
                run(_BLACK)  # the first one takes longer, with more remarks
            return path, answer(run)
        except (OSError, UserError, NotMade):
            raise
        except Exception as error:  # of the packages, whatever they raise
            raise NotMade(
                f"{type(error).__name__}: {first_line(error)}"
            ) from error

    def hand_over(
        self,
        variant: Variant,
        path: Path,
        agreement: Agreement,
        milliseconds: float,
    ) -> None:
        """Puts a copy in its place, and says in export.json how it compares."""
        self.withdraw(variant)
        os.replace(path, self._folder.path / variant.path)
        self._known[variant.name] = {
            "path": variant.path,
            **agreement._asdict(),
            "milliseconds": milliseconds,
        }
        self._save()

    def withdraw(self, variant: Variant) -> None:
        """Removes the copy of a variant, if there is one."""
        path = self._folder.path / variant.path
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        if self._known.pop(variant.name, None):
            self._save()

    def _keep_known(self):
        """Keeps the copies of this very model, and removes all others."""
        known = reader.load_exports(self._folder.path)
        for variant in VARIANTS:
            if variant.name not in known.get("copies", {}):
                continue
            if known["model_sha256"] == self._model_sha256:
                self._known[variant.name] = known["copies"][variant.name]
            else:
                self.withdraw(variant)
        self._folder.save_labels(labels_text(self._source.class_names))
        self._save()

    def _save(self):
        class_names = self._source.class_names
        self._folder.save_exports(
            {
                "model_sha256": self._model_sha256,
                "class_names": class_names,
                "input": f"{INPUT}: float32 (B, H, W, 3), RGB in [0, 255]",
                "output": f"{OUTPUT}: float32 (B, {len(class_names)})",
                "copies": self._known,
            }
        )
