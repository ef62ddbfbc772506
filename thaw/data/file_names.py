"""Labels that are part of the names of files."""

import re
from pathlib import Path

import numpy as np

from thaw.data.files import find_photos
from thaw.data.photos import (
    PhotoIndex,
    check_class_name,
    check_folder,
    check_same_classes,
)
from thaw.errors import UserError

_SHOWN = 3


def index_by_name(
    data: str | Path, validation_data: str | Path | None, label_regex: str
) -> tuple[PhotoIndex, PhotoIndex | None]:
    """Returns (train, validation), photos named after their class.

    Args:
        data: Folder with the photos, at any depth.
        validation_data: The same to validate on, or None.
        label_regex: Regular expression; its first group, found anywhere in
            the name of a file, is the class.

    Returns:
        As `index.index_photos`.

    Raises:
        UserError: If a folder is missing, or the expression is none, or does
            not match every name, or finds fewer than two classes.
    """
    pattern = _compile(label_regex)
    data = Path(data)
    check_folder(data, "--data")
    train = _index_folder(data, pattern)
    if validation_data is None:
        return train, None
    validation_data = Path(validation_data)
    check_folder(validation_data, "--validation_data")
    validation = _index_folder(validation_data, pattern)
    check_same_classes(data, train, validation_data, validation)
    return train, validation


def _compile(label_regex):
    try:
        pattern = re.compile(label_regex)
    except re.error as error:
        raise UserError(
            f"--label_regex: {label_regex!r} is not a regular expression: "
            f"{error}."
        ) from error
    if not pattern.groups:
        raise UserError(
            f"--label_regex: {label_regex!r} has no group. Expected the class "
            r"in parentheses, e.g. '(.+)_\d+.jpg$'"
        )
    return pattern


def _index_folder(folder, pattern):
    paths = find_photos(folder)
    if not paths:
        raise UserError(f"No photos in {folder}.")
    matches = [pattern.search(Path(path).name) for path in paths]
    without = [
        Path(path).name
        for path, match in zip(paths, matches, strict=True)
        if not (match and match[1])
    ]
    if without:
        examples = ", ".join(without[:_SHOWN])
        raise UserError(
            f"--label_regex: {pattern.pattern!r} finds no class in "
            f"{len(without)} of {len(paths)} names, e.g. {examples}"
        )
    class_names, labels = np.unique(
        [m[1] for m in matches], return_inverse=True
    )
    for name in class_names.tolist():
        check_class_name(name)
    if len(class_names) == 1:
        raise UserError(
            f"--label_regex: {pattern.pattern!r} finds one class only, "
            f"'{class_names[0]}'; telling classes apart takes two."
        )
    return PhotoIndex(
        tuple(paths), labels.astype("int32"), tuple(class_names.tolist())
    )
