"""Labelled photos to try a finished run on, and their classes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from thaw.data.load import load_photos
from thaw.errors import UserError
from thaw.runs import reader


def check_finished(run_dir: str | Path) -> None:
    """Raises a `UserError` if there is no run that has ended."""
    run_dir = Path(run_dir)
    if not run_dir.is_dir():
        raise UserError(
            f"There is no run folder {run_dir}. Expected one that train.py "
            "wrote, e.g. runs/latest"
        )
    if not (run_dir / "run.json").is_file():
        way_on = ""
        if (run_dir / "flags.txt").is_file():
            way_on = f" Resume it: python train.py --resume={run_dir}"
        raise UserError(
            f"{run_dir} holds no run that has ended: it has no run.json."
            f"{way_on}"
        )


def find_labelled_photos(
    run_dir: str | Path,
    data: str | Path | None,
    label_regex: str | None = None,
) -> tuple[list[str], list[int], list[str]]:
    """Returns paths of photos, their labels, and the names of the classes.

    Args:
        run_dir: Run folder.
        data: Folder, table or archive with photos; of one with a validation
            split, that split. None: the photos the run was validated on.
        label_regex: As in `thaw.data.load.load_photos`.

    Raises:
        UserError: If there are none.
    """
    if data is None:
        predictions = reader.load_predictions(run_dir)
        if predictions is None:
            raise UserError(
                f"{run_dir} has no predictions.csv, the list of its validation "
                "photos. Give labelled photos: `data`"
            )
        names = predictions.class_names
        labels = [names.index(label) for label in predictions.labels]
        return predictions.paths, labels, names
    train, validation = load_photos(data, label_regex=label_regex)
    photos = train if validation is None else validation
    return list(photos.paths), photos.labels.tolist(), list(photos.class_names)


def match_labels(
    labels: Sequence[int], names: Sequence[str], class_names: Sequence[str]
) -> np.ndarray:
    """Returns labels as indices into other class names, int (N,).

    Args:
        labels: Indices into `names`, (N,).
        names: Class names of the photos.
        class_names: Class names of the model.

    Raises:
        UserError: If the model does not know a class.
    """
    used = {names[label] for label in labels}
    unknown = sorted(used - set(class_names))
    if unknown:
        raise UserError(
            f"`data`: the model does not know {', '.join(unknown[:5])}. "
            f"Its classes: {', '.join(class_names)}"
        )
    class_names = list(class_names)
    places = [class_names.index(name) if name in used else -1 for name in names]
    return np.array(places)[labels]
