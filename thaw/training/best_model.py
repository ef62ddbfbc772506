"""The model of the epoch with the lowest validation loss."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
import numpy as np

from model_zoo.hashes import weights_sha256
from thaw.errors import NotVerified
from thaw.progress import warn
from thaw.runs.paths import point_latest_at


class BestModel:
    """Keeps the best epoch over all stages: its weights, and model.keras.

    The file is written with the next checkpoint: it takes longer than many an
    epoch on cached features.

    Attributes:
        row: The row of the history of that epoch, or None.
        counts: Confusion matrix on its validation photos, float32 (C, C).
    """

    def __init__(
        self,
        folder,
        model: keras.Model,
        class_names: Sequence[str],
        is_default_folder: bool,
    ):
        """Begins with nothing.

        Args:
            folder: `RunFolder` of the run.
            model: Model of `build_model`, which trains.
            class_names: Names of the classes.
            is_default_folder: Whether runs/latest is to point to the run once
                there is a model.
        """
        self.row: dict | None = None
        self.counts: np.ndarray | None = None
        self._folder = folder
        self._model = model
        self._class_names = class_names
        self._is_default_folder = is_default_folder
        self._weights = None
        self._sha256: str | None = None
        self._is_saved = False

    def add_epoch(self, row: dict, counts: np.ndarray) -> None:
        """Keeps the model if the epoch is the best so far.

        Args:
            row: Row of the history.
            counts: Confusion matrix on the validation photos.
        """
        if self.row is not None and row["val_loss"] >= self.row["val_loss"]:
            return
        self.row, self.counts = row, counts
        self._weights = self._model.get_weights()
        self._is_saved = False

    def save(self) -> Path | None:
        """Writes model.keras if it is not that of the best epoch yet.

        Returns:
            Path of the file; None if no model was kept so far.
        """
        if self.row is None:
            return None
        if not self._is_saved:
            is_first = self._sha256 is None
            now = self._model.get_weights()
            self._model.set_weights(self._weights)
            try:
                self._sha256 = weights_sha256(self._model)
                self.save_again()
            finally:
                self._model.set_weights(now)
            self._is_saved = True
            if is_first:
                self._point_latest()
        return self._folder.model_path

    def put_weights_back(self) -> None:
        """Gives the model that trains the weights of the best epoch.

        Raises:
            NotVerified: If they are those of a resumed run's file, and not
                the ones that were saved in it.
        """
        if self._weights is None:  # of the part of the run before
            path = self._folder.model_path
            saved = keras.saving.load_model(path, compile=False)
            self._weights = saved.get_weights()
        self._model.set_weights(self._weights)
        if weights_sha256(self._model) != self._sha256:
            raise NotVerified(
                f"{self._folder.model_path}: do not use it: its weights are "
                "not those that were trained."
            )

    def save_again(self) -> None:
        """Writes model.keras anew, from the weights that the model has."""
        self._folder.save_model(self._model, self._class_names)

    def state(self) -> tuple[dict, dict[str, np.ndarray]]:
        """Returns the state that `restore` takes: JSON, and arrays."""
        arrays = {} if self.counts is None else {"counts": self.counts}
        return {"row": self.row, "sha256": self._sha256}, arrays

    def restore(
        self, state: dict, arrays: Mapping[str, np.ndarray], model: Path | None
    ) -> None:
        """Goes back to a state.

        Args:
            state, arrays: Of `state`.
            model: Path of the model kept then.
        """
        self.row, self._sha256 = state["row"], state["sha256"]
        self.counts = arrays.get("counts")
        self._weights, self._is_saved = None, True
        if model is not None:
            self._folder.restore_model(model)
            self._point_latest()

    def describe(self, num_epochs: int) -> str:
        """Returns one sentence on the best epoch.

        Args:
            num_epochs: Epochs of the run so far.
        """
        if self.row is None:
            return "No model was kept"
        return (
            f"Kept epoch {self.row['epoch']} of {num_epochs} "
            f"({self.row['stage']}): "
            f"validation loss {self.row['val_loss']:.4f}, "
            f"accuracy {self.row['val_accuracy']:.4f}"
        )

    def _point_latest(self):
        """Points runs/latest to the run."""
        if self._is_default_folder:
            try:
                point_latest_at(self._folder.path)
            except OSError as error:
                warn(f"Can't create the link runs/latest: {error.strerror}")
