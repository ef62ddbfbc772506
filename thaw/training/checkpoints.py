"""Checkpoints: everything needed to resume a run exactly.

A checkpoint is a folder, written beside its place and renamed when everything
in it is on the disk:

    variables.npz   every variable, as it was
    state.json      where the run was, and what it had seen
    model.keras     the model kept until then, if there was one
    manifest.json   size and SHA-256 of each of these, written last

Nothing in it is pickled. Keras's `BackupAndRestore` writes its two files in
place, so a second kill may leave neither.
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thaw.atomic import written_beside
from thaw.progress import warn
from thaw.runs.reader import file_sha256

_MANIFEST = "manifest.json"
_KEPT = 2  # the one before is there if the newest is damaged


class Checkpoint(NamedTuple):
    """A checkpoint that was read.

    Attributes:
        variables: Arrays by name.
        state: What can be said in JSON.
        model: Path of the model kept until then, or None.
    """

    variables: dict[str, np.ndarray]
    state: dict
    model: Path | None


class Checkpoints:
    """The checkpoints of one run, in a folder of their own.

    Attributes:
        path: Path of the folder; made with the first of them.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)

    def save(
        self,
        variables: Mapping[str, Any],
        state: dict,
        model: Path | None = None,
    ) -> None:
        """Writes a checkpoint, then removes all but the two newest.

        Args:
            variables: Arrays by name.
            state: What can be said in JSON.
            model: The model kept so far, or None.

        Raises:
            OSError: If it cannot be written; those before are as they were.
        """
        self.path.mkdir(exist_ok=True)
        names = self._names()
        name = f"{int(names[0]) + 1 if names else 1:06d}"
        with written_beside(self.path / name) as beside:
            beside.mkdir()
            np.savez(beside / "variables.npz", **variables)
            (beside / "state.json").write_text(json.dumps(state), "utf-8")
            if model is not None:
                _link_or_copy(model, beside / "model.keras")
            manifest = {
                path.name: _size_and_hash(path) for path in beside.iterdir()
            }
            (beside / _MANIFEST).write_text(json.dumps(manifest), "utf-8")
        for old in self._names()[_KEPT:]:
            shutil.rmtree(self.path / old)

    def load(self) -> Checkpoint | None:
        """Returns the newest checkpoint that is whole, or None.

        Damaged ones are skipped, with a warning; where there is a whole one
        they are removed, or it would be the first to go.
        """
        damaged = []
        for name in self._names():
            folder = self.path / name
            damage = _find_damage(folder)
            if damage is None:
                for other in damaged:
                    shutil.rmtree(other)
                return _load(folder)
            damaged.append(folder)
            warn(f"The checkpoint {folder} is damaged ({damage}); skipped.")
        return None

    def state_sha256(self) -> str | None:
        """Returns the SHA-256 of the newest one's variables.npz, None if none.

        Two runs with the same one ended in the same state, to the last bit of
        every weight and of all that the optimizer remembers.
        """
        for name in self._names()[:1]:
            manifest = self.path / name / _MANIFEST
            return json.loads(manifest.read_text("utf-8"))["variables.npz"][1]
        return None

    def remove(self) -> None:
        """Removes all of them: the run has ended well."""
        if self.path.is_dir():
            shutil.rmtree(self.path)

    def _names(self):
        """Returns the names of the checkpoints, the newest first."""
        if not self.path.is_dir():
            return []
        names = (path.name for path in self.path.iterdir())
        return sorted((x for x in names if x.isdecimal()), reverse=True)


def _find_damage(folder):
    """Returns what is wrong with a checkpoint, or None."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_text("utf-8"))
        for name, expected in manifest.items():
            if _size_and_hash(folder / name) != expected:
                return f"{name} is not as it was written"
    except (OSError, ValueError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"
    if not {"variables.npz", "state.json"} <= set(manifest):
        return f"{_MANIFEST} is not as it was written"
    return None


def _load(folder):
    with np.load(folder / "variables.npz", allow_pickle=False) as file:
        variables = {name: file[name] for name in file.files}
    state = json.loads((folder / "state.json").read_text("utf-8"))
    model = folder / "model.keras"
    return Checkpoint(variables, state, model if model.exists() else None)


def _size_and_hash(path):
    return [path.stat().st_size, file_sha256(path)]


def _link_or_copy(source, target):
    """Gives a file a second name: it is replaced, never changed."""
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copyfile(source, target)
