"""Folders that are made once and kept."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path


def cached_folder(folder: Path, make: Callable[[Path], None]) -> Path:
    """Returns `folder`, made by `make` if it is not there.

    It is made beside its place and renamed, so a run that is killed leaves no
    half of it behind, and of two runs at once one is used.

    Args:
        folder: Path of the folder.
        make: Function that fills an empty folder.

    Raises:
        OSError: If it cannot be written.
    """
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        make(beside)
        beside.chmod(0o755)  # mkdtemp makes it private
        os.rename(beside, folder)
    except OSError:
        if not folder.is_dir():  # else another run was faster
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder


def default_cache_dir() -> Path:
    """Returns the user's cache folder for Thaw, not yet made."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "thaw"
