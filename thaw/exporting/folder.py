"""The export folder: exports of one model, and export.json on them."""

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from thaw.atomic import move_into_place
from thaw.errors import UserError, shown
from thaw.exporting.classifier import INPUT, OUTPUT, labels_text
from thaw.exporting.variants import VARIANTS, Variant
from thaw.runs import reader
from thaw.runs.writer import RunFolder


class ExportFolder:
    """A folder of exports of one model.

    An export is written out of sight, and takes its place when it is handed
    over. Exports of the model as it was before are removed.

    Attributes:
        path: Path of the folder.
        exports: Facts of each export that is there, by name of its variant.
    """

    def __init__(
        self, path: Path, model_sha256: str, class_names: Sequence[str]
    ):
        """Changes nothing yet.

        Args:
            path: Folder of an earlier export, an empty one, or none.
            model_sha256: Of model.keras, when it was read.
            class_names: Names of the classes.

        Raises:
            UserError: If the folder holds other things.
        """
        self.path = path
        self.exports = {}
        self._folder = RunFolder(path)
        self._model_sha256 = model_sha256
        self._class_names = list(class_names)
        self._check()

    @contextlib.contextmanager
    def take_over(self) -> Iterator[Path]:
        """Locks the folder, and yields one in it for exports to come.

        Raises:
            UserError: If another process is using it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with self._folder.lock():
            self._folder.remove_leftovers()
            self._keep_exports()
            work = self.path / f".exports.{os.getpid()}"
            work.mkdir()
            try:
                yield work
            finally:
                shutil.rmtree(work)

    def hand_over(self, variant: Variant, export) -> Path:
        """Moves an export to its place, and returns that.

        Args:
            variant: Its variant.
            export: `Export` with its path in the work folder.
        """
        place = self.path / variant.path
        move_into_place(export.path, place)
        self.exports[variant.name] = {
            "path": variant.path,
            **export.agreement._asdict(),
            "milliseconds": export.milliseconds,
        }
        self._save()
        return place

    def withdraw(self, variant: Variant) -> None:
        """Removes the export of a variant, if there is one."""
        path = self.path / variant.path
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        if self.exports.pop(variant.name, None):
            self._save()

    def _check(self):
        fault = None
        try:
            os.fspath(self.path.resolve()).encode()
        except UnicodeEncodeError:
            fault = "its name is not valid UTF-8, and TensorFlow needs that"
        is_ours = (self.path / "export.json").is_file()
        if self.path.is_dir() and any(self.path.iterdir()) and not is_ours:
            fault = "it is not empty, and export.py did not write it"
        if fault is not None:
            raise UserError(
                f"Cannot export to {shown(self.path)}: {fault}. Give another "
                "folder: `output_dir`"
            )

    def _keep_exports(self):
        """Keeps the exports of this very model, and removes all others."""
        found = reader.load_exports(self.path)
        is_same = found.get("model_sha256") == self._model_sha256
        for variant in VARIANTS:
            if variant.name in found.get("exports", {}):
                self.exports[variant.name] = found["exports"][variant.name]
                if not is_same:
                    self.withdraw(variant)
        self._folder.save_labels(labels_text(self._class_names))
        self._save()

    def _save(self):
        num_classes = len(self._class_names)
        self._folder.save_exports(
            {
                "model_sha256": self._model_sha256,
                "class_names": self._class_names,
                "input": f"{INPUT}: float32 (B, H, W, 3), RGB in [0, 255]",
                "output": f"{OUTPUT}: float32 (B, {num_classes})",
                "exports": self.exports,
            }
        )
