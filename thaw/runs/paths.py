"""Paths of run folders, checked before anything slow, without Keras."""

import os
import re
from datetime import datetime
from pathlib import Path

from model_zoo.backbones import short_name
from thaw.atomic import written_beside
from thaw.errors import UserError

_DATE = re.compile(r"^\d{4}-\d\d-\d\d-\d{6}-")


def choose_run_dir(run_dir: str | Path | None, backbone: str) -> Path:
    """Returns the path of the new run folder, which is not made yet.

    Args:
        run_dir: Path asked for, or None for `runs/DATE-BACKBONE`.
        backbone: Name or file of the backbone.

    Raises:
        UserError: If anything is there already.
    """
    if run_dir is None:
        name = _DATE.sub("", short_name(backbone))  # of a run to go on from
        name = f"{datetime.now():%Y-%m-%d-%H%M%S}-{name}"
        run_dir = Path("runs") / name
    check_run_dir(run_dir)
    return Path(run_dir)


def follow_link(run_dir: str | Path) -> Path:
    """Returns what `run_dir` is a link to, if it is one, as runs/latest.

    Another run may have made it point elsewhere by the time it is read again.
    """
    run_dir = Path(run_dir)
    if run_dir.is_symlink():
        return run_dir.parent / os.readlink(run_dir)
    return run_dir


def check_run_dir(path: str | Path) -> None:
    """Raises `UserError` if a run folder at `path` would overwrite anything."""
    path = Path(path)
    # Hidden: what a killed process had not finished writing.
    if path.is_dir() and any(x.name[0] != "." for x in path.iterdir()):
        raise UserError(
            f"`run_dir`: {path} exists and is not empty; runs are never "
            "overwritten. Give another folder, or remove this one."
        )
    if path.exists() and not path.is_dir():
        raise UserError(f"`run_dir`: {path} is a file. Give a folder.")
    parent = next(p for p in (path, *path.absolute().parents) if p.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise UserError(
            f"`run_dir`: cannot write to {path}. Give a folder that can be "
            "written."
        )


def point_latest_at(path: str | Path) -> None:
    """Makes the link `latest` beside the run folder `path` point to it.

    Raises:
        OSError: If there cannot be links, or `latest` is not one.
    """
    path = Path(path)
    with written_beside(path.parent / "latest", flush=False) as beside:
        beside.symlink_to(path.name)
