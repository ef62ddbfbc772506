"""Labelled photos to evaluate a finished run on, and their classes."""

import dataclasses
from pathlib import Path
from typing import Any

from thaw.data.load import load_photos
from thaw.data.photos import Photos
from thaw.errors import UserError
from thaw.runs import photo_tables, reader


def check_finished(run_dir: str | Path) -> None:
    """Raises a `UserError` if there is no run that has ended."""
    run_dir = Path(run_dir)
    if not run_dir.is_dir():
        raise UserError(
            f"There is no run folder {run_dir}. Expected one written by "
            "train.py, e.g. runs/latest"
        )
    if not (run_dir / "run.json").is_file():
        way_on = ""
        if (run_dir / "flags.txt").is_file():
            way_on = f" Resume it: python train.py --resume={run_dir}"
        raise UserError(
            f"{run_dir} is not a finished run: it has no run.json.{way_on}"
        )


def find_labelled_photos(
    run_dir: str | Path,
    data: str | Path | None,
    split: str | None = None,
    **label_options: Any,
) -> Photos:
    """Returns photos labelled by the classes of a run; it may lack some.

    Args:
        run_dir: Run folder.
        data: Folder, table or archive with photos; of one with a validation
            split, that split. None: the photos the run was validated on.
        split, label_options: As in `thaw.data.load.load_photos`.

    Raises:
        UserError: If there are none, or of a class the run does not know.
    """
    class_names = reader.load_class_names(run_dir)
    if data is not None:
        train, validation = load_photos(
            data,
            class_names=class_names,
            split=split,
            **label_options,
        )
        if validation is None:
            return train
        notes = (*train.notes, *validation.notes)
        return dataclasses.replace(validation, notes=notes)
    predictions = photo_tables.load_predictions(run_dir)
    if predictions is None:
        raise UserError(
            f"{run_dir} has no predictions.csv, the list of its validation "
            "photos. Give labelled photos: `data`"
        )
    photos = Photos.labelled(predictions.paths, predictions.labels)
    return photos.with_class_names(class_names)
