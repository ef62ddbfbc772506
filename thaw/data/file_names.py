"""Labels that are part of file names."""

import functools
import re
from pathlib import Path

from thaw.data.files import find_photos
from thaw.data.photos import Photos, check_folder, load_both
from thaw.errors import UserError

_SHOWN = 3


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
    try:
        pattern = re.compile(label_regex)
    except re.error as error:
        raise UserError(
            f"`label_regex`: {label_regex!r} is not a regular expression: "
            f"{error}."
        ) from error
    if not pattern.groups:
        raise UserError(
            f"`label_regex`: {label_regex!r} has no group. Expected the class "
            r"in parentheses, e.g. '(.+)_\d+.jpg$'"
        )
    load = functools.partial(_load_folder, pattern)
    return load_both(load, data, validation_data)


def _load_folder(pattern, folder, option):
    check_folder(folder, option)
    paths = find_photos(folder)
    if not paths:
        raise UserError(f"No photos in {folder}.")
    names = [Path(path).name for path in paths]
    matches = [pattern.search(name) for name in names]
    classes = [match and match[1] for match in matches]
    without = [
        name for name, found in zip(names, classes, strict=True) if not found
    ]
    if without:
        raise UserError(
            f"`label_regex`: {pattern.pattern!r} finds no class in "
            f"{len(without)} of {len(paths)} names, e.g. "
            f"{', '.join(without[:_SHOWN])}"
        )
    return Photos.labelled(paths, classes)
