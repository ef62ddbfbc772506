"""Trees of files, of which only the names matter."""

from pathlib import Path


def make_files(folder: Path, *names: str) -> None:
    """Writes empty files under `folder`, by their paths from there on."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
