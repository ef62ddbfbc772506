"""Labels that are part of file names."""

import dataclasses
import functools
import os
from pathlib import Path

from thaw.data.expressions import compiled, first_groups
from thaw.data.files import find_photos
from thaw.data.folder_tree import read_tree
from thaw.data.photos import Photos
from thaw.data.reading_text import describe_use, unused_counts
from thaw.data.readings import Classes, Reading
from thaw.data.sources import check_folder, load_both
from thaw.data.split_names import split_role
from thaw.data.wrappers import wrappers
from thaw.errors import UserError, list_some


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
    pattern = compiled(
        "label_regex", label_regex, what="class", example=r"'(.+)_\d+.jpg$'"
    )
    load = functools.partial(_load_folder, pattern)
    check_folder(Path(data), "data")
    tree = read_tree(data, [] if validation_data is None else [validation_data])
    reading = _find_split(pattern, tree)
    if reading is None:
        return load_both(load, data, validation_data)
    if validation_data is not None:
        reading = reading.without_validation()
    elif reading.validation is not None:
        validation_data = reading.validation.folder.path
    train, validation = load_both(
        load, reading.train.folder.path, validation_data
    )
    train.skipped.update(unused_counts(tree, reading))
    notes = describe_use(tree, reading)
    return dataclasses.replace(train, notes=notes), validation


def _find_split(pattern, tree):
    """Returns the reading of a folder in which all folders are of a split.

    Returns:
        A `Reading` of folders without classes; None if they are no split.

    Raises:
        UserError: If it isn't plain which of them is to train on.
    """
    folder = wrappers(tree)[-1]
    children = folder.with_photos()
    roles = {x: split_role(x.name) for x in children}
    if folder.photos or len(children) < 2 or not any(roles.values()):
        return None
    trains = [x for x in children if roles[x] == "train"]
    if len(trains) != 1 or None in roles.values():
        names = list_some([x.path for x in children])
        raise UserError(
            f"`label_regex`: {folder.path} holds {names}, which look like the "
            "splits of a dataset. Give the training folder, e.g. "
            f"`data={children[0].path}`, and what to validate on with "
            "`validation_data`."
        )
    labelled = [
        child
        for role in ("validation", "test")
        for child in children
        if roles[child] == role
        and any(
            map(pattern.search, map(os.path.basename, find_photos(child.path)))
        )
    ]
    validation = labelled[0] if labelled else None
    unused = [x for x in children if x not in (trains[0], validation)]
    return Reading(
        {},
        Classes(trains[0], {}),
        validation and Classes(validation, {}),
        tuple(unused),
    )


def _load_folder(pattern, folder, option):
    check_folder(folder, option)
    paths = find_photos(folder)
    if not paths:
        raise UserError(f"No photos in {folder}.")
    classes = first_groups(
        "label_regex",
        pattern,
        [Path(path).name for path in paths],
        what="class",
        where="names",
    )
    return Photos.labelled(paths, classes)
