"""Labels that are folder names."""

import dataclasses
import os
from collections.abc import Collection, Sequence
from pathlib import Path

from thaw.data.class_names import check_class_name, composed
from thaw.data.files import describe_skipped, find_files, leads_out
from thaw.data.folder_tree import read_tree
from thaw.data.label_tables import load_tables
from thaw.data.photos import Photos
from thaw.data.pixels import EXTENSIONS
from thaw.data.reading_choice import LoadTable, choose_reading
from thaw.data.reading_text import describe_use, unused_counts
from thaw.data.readings import matching
from thaw.data.sources import check_folder
from thaw.data.table_file import is_table
from thaw.errors import UserError, shown


def load_folders(
    data: str | Path,
    validation_data: str | Path | None = None,
    class_folders: Sequence[str] | None = None,
    known: Collection[str] = (),
    load_table: LoadTable = load_tables,
    in_table: bool = False,
) -> tuple[Photos, Photos | None]:
    """Returns (train, validation), the photos under a folder.

    Args:
        data: Folder of class folders; or of a split of such folders; or with
            a table of labels beside the photos. Only what can be read in one
            way (`layout.find_readings`) is taken.
        validation_data: The same, to validate on.
        class_folders: Which folders in `data` are the classes, as in
            `readings.matching`; None: found.
        known: Names of the classes of a model, of which the photos may have
            any; empty: not known.
        load_table: As `label_tables.load_tables`.
        in_table: Whether only a table in `data` may hold the labels.

    Returns:
        As `load.load_photos`.

    Raises:
        UserError: If a folder is missing or empty, or can be read in several
            ways.
    """
    data = Path(data)
    check_folder(data, "data")
    tree = read_tree(data, [] if validation_data is None else [validation_data])
    known = tuple(map(composed, known))
    if class_folders:
        reading = matching(tree, class_folders)
    else:
        reading = choose_reading(tree, "data", known, load_table, in_table)
    if reading.table is not None and validation_data is not None:
        train, validation = load_beside_table(
            reading.table, validation_data, known, load_table
        )
        notes = (*train.notes, *describe_use(tree, reading))
        return dataclasses.replace(train, notes=notes), validation
    if validation_data is not None:
        reading = reading.without_validation()
    train, validation = _load(tree, reading, data, bool(known))
    if validation_data is not None:
        validation = _load_validation(
            Path(validation_data), known, train.class_names, load_table
        )
    return train, validation


def load_beside_table(
    table: str | Path,
    validation_data: str | Path | None,
    known: Collection[str],
    load_table: LoadTable = load_tables,
) -> tuple[Photos, Photos | None]:
    """Returns (train, validation), photos of a table and of any other source.

    Args:
        table: Path of the table.
        validation_data: Table or folder to validate on, or None.
        known, load_table: As in `load_folders`.
    """
    if validation_data is None or is_table(validation_data):
        return load_table(table, validation_data)
    train, _ = load_table(table, table)
    return train, _load_validation(
        Path(validation_data), known, train.class_names, load_table
    )


def _load_validation(folder, known, class_names, load_table):
    if is_table(folder):
        return load_table(folder, folder)[1]
    check_folder(folder, "validation_data")
    tree = read_tree(folder)
    reading = choose_reading(
        tree, "validation_data", known or class_names, load_table
    )
    splits = _load(tree, reading, folder, may_lack_classes=True)
    photos = splits[0] if splits[1] is None else splits[1]
    notes = ()
    if reading.table is not None:
        notes = describe_use(tree, reading)
    elif (place := (reading.validation or reading.train).folder) is not tree:
        notes = (f"Validation photos: those in {shown(place.path)}",)
    return dataclasses.replace(photos, notes=notes)


def _load(tree, reading, root, may_lack_classes):
    """Returns (train, validation), the photos of a reading.

    Args:
        tree: Tree of the folder.
        reading: `Reading` of it.
        root: Links that lead out of this folder are not followed.
        may_lack_classes: Whether class folders may be empty; those to
            validate on may.
    """
    if reading.loaded is not None:
        train, validation = reading.loaded
    else:
        train = _load_classes(reading.train, root, may_lack_classes)
        validation = reading.validation
        if validation is not None:
            validation = _load_classes(validation, root, True)
    train.skipped.update(unused_counts(tree, reading))
    notes = (*train.notes, *describe_use(tree, reading))
    return dataclasses.replace(train, notes=notes), validation


def _load_classes(classes, root, may_lack_classes):
    """Returns the `Photos` of `readings.Classes`."""
    _check_leads_inside(classes.folder.path, root)
    folders = [
        (name, Path(folder.path))
        for name in sorted(classes.folders)
        for folder in classes.folders[name]
        if classes.count(name) or not may_lack_classes
    ]
    for name, path in folders:
        check_class_name(name)
        _check_leads_inside(path, root)
    found = find_files([path for _, path in folders], root)
    _check_filled(folders, found)
    photos = Photos.labelled(
        [path for files in found for path in files.photos],
        [
            name
            for (name, _), files in zip(folders, found, strict=True)
            for _ in files.photos
        ],
    )
    for files in found:
        photos.skipped.update(files.skipped)
    if classes.loose:
        photos.skipped["photos in no class folder"] = classes.loose
    return photos


def _check_filled(folders, found):
    """Refuses a class whose folders hold no photos."""
    filled = {
        name
        for (name, _), files in zip(folders, found, strict=True)
        if files.photos
    }
    for (name, path), files in zip(folders, found, strict=True):
        if name not in filled:
            others = describe_skipped(files.skipped)
            detail = f"; skipped: {others}" if others else ""
            raise UserError(
                f"The class folder {path} holds no photos "
                f"({', '.join(EXTENSIONS)}{detail}). Add some, or remove the "
                "folder."
            )


def _check_leads_inside(folder: str, root: str | Path) -> None:
    """Raises a `UserError` if `folder` is a link that leads out of `root`."""
    if leads_out(folder, root):
        raise UserError(
            f"{folder} is a link that leads out of {root}, to "
            f"{os.path.realpath(folder)}. Links are followed inside the "
            "photos' own folder only: put the folder itself there."
        )
