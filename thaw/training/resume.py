"""Resuming a run: its options, and what must not have changed since."""

import dataclasses
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from thaw.config import TrainConfig
from thaw.errors import MachineError, UserError
from thaw.options import options, parse_text, read_setting
from thaw.progress import say, warn
from thaw.runs import reader
from thaw.training.checkpoints import Checkpoint, Checkpoints

_VARIABLES_KEPT = 8  # of the size of all: two checkpoints, the model, a spare


@dataclasses.dataclass(frozen=True)
class Resumption:
    """Request to resume a run.

    Attributes:
        is_resumed: Whether it goes on from its last checkpoint.
        anyway: Whether it does so where options or photos have changed.
        is_default_folder: Whether runs/latest points to the run.
    """

    is_resumed: bool = False
    anyway: bool = False
    is_default_folder: bool = False

    def load(
        self, checkpoints: Checkpoints, now: dict, callbacks
    ) -> Checkpoint | None:
        """Returns the checkpoint to go on from; None: the run begins.

        Args:
            checkpoints: `Checkpoints` of the run.
            now: Of `make_conditions`.
            callbacks: `Callbacks` of the run.

        Raises:
            UserError: If options or photos have changed, and not `anyway`.
        """
        if not self.is_resumed:
            return None
        checkpoint = load_checkpoint(checkpoints, now, self.anyway)
        if checkpoint is not None and callbacks:
            warn(
                "The state of callbacks isn't in a checkpoint: with them a "
                "resumed run may differ from one that was not stopped."
            )
        return checkpoint


def load_config(run_dir: Path, changed: Mapping[str, Any]) -> TrainConfig:
    """Returns the options of a run that was stopped.

    Args:
        run_dir: Run folder.
        changed: Options that are given anew, by name.

    Raises:
        UserError: If there is nothing to resume.
    """
    checkpoints = Checkpoints(run_dir / "checkpoint")
    if (run_dir / "run.json").exists():
        checkpoints.remove()  # killed before it did
        flags_file = shlex.quote(f"{run_dir}/flags.txt")
        raise UserError(
            f"`resume`: the run in {run_dir} is finished. To train longer, "
            f"start it again: python train.py --flagfile={flags_file} "
            "--epochs=..."
        )
    if not (run_dir / "flags.txt").is_file():
        raise UserError(
            f"`resume`: there is no {run_dir}/flags.txt. Expected the folder "
            "of an interrupted run, e.g. runs/latest"
        )
    reader.check_resumable(run_dir)
    known = options(TrainConfig)
    settings = [read_setting(x, known) for x in reader.load_flags(run_dir) if x]
    values = {name: parse_text(name, text, known) for name, text in settings}
    return TrainConfig(**(values | dict(changed)))


def load_checkpoint(
    checkpoints: Checkpoints, now: dict, anyway: bool
) -> Checkpoint | None:
    """Returns the `Checkpoint` to go on from; None: there is none yet.

    Args:
        checkpoints: `Checkpoints` of the run.
        now: Of `make_conditions`.
        anyway: Whether to go on where options or photos have changed.

    Raises:
        UserError: If they have, and not `anyway`.
    """
    checkpoint = checkpoints.load()
    if checkpoint is None:
        say("No checkpoint yet: the run starts from the beginning")
        return None
    before = checkpoint.state["conditions"]
    state = checkpoint.state
    if not state["done"] and state["position"]["stage"] >= now["num_stages"]:
        raise UserError(
            "The checkpoint is from the fine-tuning stage, which `epochs=0` "
            "turns off. Drop `epochs`, or raise it."
        )
    changed = _changes(before, now, "config") + _changes(before, now, "photos")
    if changed and not anyway:
        raise UserError(
            "Can't resume exactly: these settings changed since the "
            "checkpoint:\n" + "\n".join(changed) + "\nUndo that, or continue "
            "anyway: `resume_anyway`"
        )
    changed += _changes(before, now, "machine")
    if changed:
        warn(
            "Resuming, but not bit for bit; changed since the checkpoint:\n"
            + "\n".join(changed)
        )
    return checkpoint


def _changes(before, now, kind):
    """Returns lines on what differs, options in backticks."""
    mark = "`" if kind == "config" else ""
    old, new = before[kind], now[kind]
    if kind == "config":  # which may be older than some options
        known = options(TrainConfig)
        old = {x: known[x].default for x in new.keys() - old.keys()} | old
    return [
        f"  {mark}{name}{mark}: was {old.get(name)}, is {new.get(name)}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def bytes_needed(model) -> int:
    """Returns the bytes that checkpoints and model take at most.

    Args:
        model: Model of `build_model`.
    """
    sizes = (4 * int(np.prod(x.shape)) for x in model.variables)
    return _VARIABLES_KEPT * sum(sizes)


def check_room(model, folder: Path, is_resumed: bool) -> None:
    """Raises a `MachineError` if a run's files will not fit on the disk.

    Args:
        model: Model of `build_model`.
        folder: Run folder.
        is_resumed: Whether the run goes on, and can't go elsewhere.
    """
    held = sum(x.stat().st_size for x in folder.rglob("*") if x.is_file())
    needed = bytes_needed(model) - held
    free = shutil.disk_usage(folder).free
    if free < needed:
        way_out = "Free some"
        if not is_resumed:
            way_out += ", or give `run_dir` on another disk"
        raise MachineError(
            f"The run needs about {needed / 1e6:,.0f} MB for checkpoints and "
            f"model, and {folder} has {free / 1e6:,.0f} MB left. {way_out}."
        )
