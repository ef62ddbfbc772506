"""Run folders of format 1, as 89f6fd7 left them: see make_format1_runs.py."""

import shutil
from pathlib import Path

from thaw.demo.demo_set import draw_demo_set

FOLDER = Path(__file__).parent / "format1"
PHOTOS = "/photos-of-format1"  # stands for the folder of photos
PHOTOS_PER_CLASS = 12


def draw_photos(folder: Path) -> Path:
    """Draws the photos that the runs were trained on; returns their folder."""
    photos = folder / "photos"
    draw_demo_set(photos, PHOTOS_PER_CLASS)
    return photos


def lay_out(name: str, folder: Path) -> Path:
    """Returns a run folder with its photos, in an empty folder.

    Args:
        name: `complete`; `exported`, the same with an export of the model; or
            `unfinished`, which SIGTERM stopped in its fine-tune stage.
        folder: Where to put it.
    """
    photos = draw_photos(folder)
    run_dir = folder / name
    source = "unfinished" if name == "unfinished" else "complete"
    shutil.copytree(FOLDER / source, run_dir)
    if name == "exported":
        shutil.copytree(FOLDER / "export", run_dir / "export")
    for path in run_dir.rglob("*"):
        if path.is_file() and path.suffix != ".keras":
            text = path.read_bytes().decode()
            path.write_bytes(text.replace(PHOTOS, str(photos)).encode())
    return run_dir
