"""Labels that are part of file names."""

import functools
from pathlib import Path

from thaw.data.expressions import first_groups
from thaw.data.files import find_photos
from thaw.data.photos import Photos, check_folder, load_both
from thaw.errors import UserError


def load_by_name(
    data: str | Path, validation_data: str | Path | None, label_regex: str
) -> tuple[Photos, Photos | None]:
    """Returns (train, validation), photos named after their class.

    Args:
        data: Folder with the photos, at any depth.
        validation_data: The same to validate on, or None.
        label_regex: Regular expression; its first group, found anywhere in
            the name of a file, is the class.

    Returns:
        As `load.load_photos`.

    Raises:
        UserError: If a folder is missing, or the expression is invalid, or
            does not match every name, or finds fewer than two classes.
    """
    load = functools.partial(_load_folder, label_regex)
    return load_both(load, data, validation_data)


def _load_folder(label_regex, folder, option):
    check_folder(folder, option)
    paths = find_photos(folder)
    if not paths:
        raise UserError(f"No photos in {folder}.")
    classes = first_groups(
        "label_regex",
        label_regex,
        [Path(path).name for path in paths],
        what="class",
        where="names",
        example=r"'(.+)_\d+.jpg$'",
    )
    return Photos.labelled(paths, classes)
