"""Makes the run folders of format 1 in tests/support/format1, at 89f6fd7.

    git worktree add ../base 89f6fd7
    python -m tests.support.make_format1_runs ../base

Kept are the text files, as that commit wrote them, and one model.keras of
37 KB; not the pictures, the page with pictures, the TensorBoard file and the
SavedModel, which nothing reads, nor the variables of the checkpoint, which is
refused before they are read. Photos are drawn anew by `format1.lay_out`.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.format1 import FOLDER, PHOTOS, draw_photos

_FLAGS = (
    "--backbone=vgg16_tiny", "--cut_at=block1_pool",
    "--unfreeze_from=block1_conv2", "--pooling=avg", "--hidden_units=0",
    "--image_size=32", "--head_epochs=1", "--epochs=2", "--batch_size=4",
    # Options with other names, or of another form, than today's.
    "--learning_rate=1e-4:1e-2", "--schedule=one_cycle", "--peak_at=0.3",
    "--head_peak_at=0.2", "--div=10",
)  # fmt: skip
_KEPT = (".json", ".csv", ".txt", ".md")
_EXPORTS = ("export", "saved_model")


def main(checkout: str) -> None:
    """Writes the files.

    Args:
        checkout: Path of a worktree of 89f6fd7.
    """
    checkout = Path(checkout).resolve()
    shutil.rmtree(FOLDER, ignore_errors=True)
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        photos = draw_photos(place)

        def run(script, *arguments, **options):
            return subprocess.Popen(
                [sys.executable, checkout / script, *map(str, arguments)],
                cwd=place,
                env={**os.environ, "XDG_CACHE_HOME": str(place / "cache")},
                **options,
            )

        flags = [f"--data={photos}", *_FLAGS]
        assert run("train.py", *flags, "--run_dir=complete").wait() == 0
        keep(place / "complete", FOLDER / "complete", photos)
        shutil.copy(place / "complete" / "model.keras", FOLDER / "complete")
        assert run("export.py", "complete", "--format=saved_model").wait() == 0
        keep(place / "complete" / "export", FOLDER / "export", photos)

        flags += ["--run_dir=unfinished", "--checkpoint_minutes=0"]
        stopped = run("train.py", *flags, "--epochs=9999")
        third = place / "unfinished" / "checkpoint" / "000003"
        while not third.exists():
            time.sleep(0.01)
        stopped.send_signal(signal.SIGTERM)
        assert stopped.wait() == 128 + signal.SIGTERM
        keep(place / "unfinished", FOLDER / "unfinished", photos)


def keep(folder: Path, target: Path, photos: Path) -> None:
    """Copies the text files of a folder, with `PHOTOS` for the photos."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.suffix in _KEPT and inside.parts[0] not in _EXPORTS:
            text = path.read_bytes().decode()
            (target / inside).parent.mkdir(parents=True, exist_ok=True)
            (target / inside).write_bytes(
                text.replace(str(photos), PHOTOS).encode()
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
