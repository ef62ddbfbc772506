"""Common parts of the sources of labelled photos: folders, tables, names."""

from collections.abc import Callable
from pathlib import Path

from thaw.data import SPLIT_NAMES
from thaw.data.photos import Photos
from thaw.errors import UserError

VALIDATION_NAMES = (*SPLIT_NAMES["validation"], *SPLIT_NAMES["test"])
EXAMPLE = "Expected one folder per class, e.g. {0}/cat/1.jpg and {0}/dog/1.jpg"


def load_both(
    load: Callable[[Path, str], Photos],
    data: str | Path,
    validation_data: str | Path | None,
) -> tuple[Photos, Photos | None]:
    """Returns (train, validation), each loaded from its folder or table.

    Args:
        load: Function of a path and the name of the option that holds it.
        data: Source of the training photos.
        validation_data: The same to validate on, or None.
    """
    train = load(Path(data), "data")
    if validation_data is None:
        return train, None
    return train, load(Path(validation_data), "validation_data")


def check_folder(folder: Path, option: str) -> None:
    """Raises a `UserError` if there is no such folder."""
    if folder.exists() and not folder.is_dir():
        raise UserError(
            f"`{option}`: {folder} is not a folder, a table (.csv, .tsv) or an "
            "archive (.zip, .tar)."
        )
    if not folder.exists():
        raise UserError(
            f"`{option}`: {folder} does not exist. {EXAMPLE.format(folder)}"
        )
