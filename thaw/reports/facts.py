"""Facts about a run that its report and model card state."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import thaw
from thaw.evaluation.evaluation import VALIDATION_PHOTOS
from thaw.reports.photos import shrink_png
from thaw.runs import reader
from thaw.runs.writer import RunFolder

_CURVES = ("accuracy", "loss", "loss_by_step", "lr", "lr_find")


class RunFacts(NamedTuple):
    """Facts about a run.

    Attributes:
        name: Name of its folder.
        path: Path of its folder.
        summary: Content of run.json.
        history: Rows of history.csv.
        curves: PNG files of what training drew.
        augmented: JPEG file of augmented training photos, or None.
        thaw_curve: PNG file of a search for the unfreeze point, or None.
        photos: A noun for the evaluated photos, e.g. `validation photos`.
    """

    name: str
    path: str
    summary: dict
    history: Sequence[dict]
    curves: Sequence[bytes]
    augmented: bytes | None
    thaw_curve: bytes | None = None
    photos: str = VALIDATION_PHOTOS

    @property
    def own_photos(self) -> bool:
        """True if the run was validated on the evaluated photos."""
        return self.photos == VALIDATION_PHOTOS


def facts_of_training(
    folder: RunFolder,
    summary: dict,
    history: Sequence[dict],
    pictures: Mapping[str, bytes],
) -> RunFacts:
    """Returns the facts about a run that has just been trained.

    Args:
        folder: Its folder.
        summary: Content of run.json.
        history: Rows of history.csv.
        pictures: PNG files by name, e.g. `accuracy` and `augmented`. What a
            resumed run drew before it was stopped is read from its folder.
    """

    def png(name):
        path = folder.path / f"{name}.png"
        if name not in pictures and path.exists():
            return path.read_bytes()
        return pictures.get(name)

    augmented = png("augmented")
    return RunFacts(
        name=folder.path.resolve().name,
        path=str(folder.path),
        summary={"thaw": thaw.__version__, **summary},
        history=history,
        curves=[x for x in map(png, _CURVES) if x is not None],
        augmented=augmented and shrink_png(augmented),
        thaw_curve=png("thaw_curve") if summary.get("search") else None,
    )


def facts_of_run(run) -> RunFacts:
    """Returns the facts about a finished run, read from its folder.

    Args:
        run: `thaw.run.Run`.

    Raises:
        UserError: If a file in it is damaged.
    """
    summary: Any = reader.load_summary(run.path, for_report=True)
    history = reader.load_history(run.path)
    facts = facts_of_training(run.folder, summary, history, {})
    return facts._replace(summary=summary)  # with the version of then
