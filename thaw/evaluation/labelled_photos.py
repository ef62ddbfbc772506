"""Photos with labels to try a finished run on, and their classes."""

from pathlib import Path

import numpy as np

from thaw.errors import UserError


def check_ended(run_dir: Path) -> None:
    """Raises a `UserError` if there is no run that has ended."""
    if not run_dir.is_dir():
        raise UserError(
            f"There is no run folder {run_dir}. Expected one that train.py "
            "wrote, e.g. runs/latest"
        )
    if not (run_dir / "run.json").is_file():
        way_on = ""
        if (run_dir / "flags.txt").is_file():
            way_on = f" Go on with it: python train.py --resume={run_dir}"
        raise UserError(f"{run_dir} holds no run that has ended.{way_on}")


def find_photos(
    run_dir: Path, data: str | None, label_regex: str | None = None
) -> tuple[list[str], list[int], list[str]]:
    """Returns paths of photos, their labels, and the classes these count in.

    Args:
        run_dir: Run folder.
        data: Folder, table or archive with photos, of which those to validate
            on are taken if there are any; None: those that the run was
            validated on.
        label_regex: As in `thaw.data.load.index_photos`.

    Raises:
        UserError: If there are none.
    """
    if data is None:
        from thaw.runs import reader

        predictions = reader.load_predictions(run_dir)
        if predictions is None:
            raise UserError(
                f"{run_dir} does not say on which photos it was validated: it "
                "has no predictions.csv. Give photos with labels: --data"
            )
        names = predictions.class_names
        labels = [names.index(label) for label in predictions.labels]
        return predictions.paths, labels, names
    from thaw.data.load import index_photos

    train, validation = index_photos(data, label_regex=label_regex)
    photos = train if validation is None else validation
    return list(photos.paths), photos.labels.tolist(), photos.class_names


def as_indices(
    labels: list[int], names: list[str], class_names: list[str]
) -> np.ndarray:
    """Returns labels that count in `names` as such that do in `class_names`.

    Raises:
        UserError: If the model does not know a class.
    """
    used = {names[label] for label in labels}
    unknown = sorted(used - set(class_names))
    if unknown:
        raise UserError(
            f"--data: the model does not know {', '.join(unknown[:5])}. "
            f"Its classes: {', '.join(class_names)}"
        )
    places = [class_names.index(name) if name in used else -1 for name in names]
    return np.array(places)[labels]
