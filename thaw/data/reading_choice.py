"""The one reading of a folder, or an error that shows all of them."""

import dataclasses
import os
from collections.abc import Callable, Collection

from thaw.data.folder_tree import Folder
from thaw.data.layout import find_readings
from thaw.data.photos import Photos
from thaw.data.reading_text import describe_readings
from thaw.data.readings import Reading
from thaw.data.sources import EXAMPLE
from thaw.data.wrappers import wrappers
from thaw.errors import UserError, shown

_ERRORS_SHOWN = 3
LoadTable = Callable[..., tuple[Photos, Photos | None]]


def choose_reading(
    tree: Folder,
    option: str,
    known: Collection[str],
    load_table: LoadTable,
    in_table: bool = False,
) -> Reading:
    """Returns the reading of a folder, if there is only one.

    Args:
        tree: Tree of the folder.
        option: Name of the option that gave it.
        known: As in `layout.find_readings`.
        load_table: `label_tables.load_tables`.
        in_table: Whether only a table may hold the labels.

    Raises:
        UserError: If there are several, or none.
    """
    readings = [] if in_table else find_readings(tree, known)
    plain = [x for x in readings if not x.weak and _fits(x, known)]
    tables, errors = _read_tables(tree, known, load_table)
    if plain or any(_fits(x, known) for x in tables):
        # A table of one label, as of predictions to fill in, says nothing.
        tables = [x for x in tables if _fits(x, known)]
    if len(readings) == 1 and plain:
        if not any(_differ(x.loaded, plain[0]) for x in tables):
            paths = tuple(x.table for x in tables)
            return dataclasses.replace(plain[0], unused_tables=paths)
    elif not plain and len(tables) == 1:
        return tables[0]
    if tables or len(readings) > 1 or any(x.weak for x in readings):
        to_train = option == "data" and not known
        shown_readings = describe_readings(
            tree, [*tables, *readings], option, to_train
        )
        raise UserError("\n".join([shown_readings, *errors]))
    if errors and readings and len(readings[0].train.folders) == 1:
        raise UserError("\n".join(errors))
    if not readings:
        problem = _no_table(tree) if in_table else _no_photos(tree)
        raise UserError("\n".join([problem, *errors]))
    return readings[0]  # of one class, or of classes that aren't known


def _read_tables(tree, known, load_table):
    """Returns readings of the tables beside photos, and errors of others."""
    folders = wrappers(tree, known)
    children = folders[-1].with_photos()
    if len(children) == 1:
        folders += children
    readings, errors = [], []
    for path in [path for folder in folders for path in folder.tables]:
        try:
            loaded = load_table(path)
        except UserError as error:
            errors.append(f"No labels in a table beside the photos: {error}")
        else:
            readings.append(
                Reading({"data": path}, None, table=path, loaded=loaded)
            )
    return readings, errors[:_ERRORS_SHOWN]


def _fits(reading, known):
    """Returns whether a reading has two classes, or none but known ones."""
    names = reading.class_names
    return names <= set(known) if known else len(names) > 1


def _differ(loaded, reading):
    """Returns whether a table sorts photos otherwise than folders do.

    The names of its classes may be others, and it may know of no split.
    """
    sides = (reading.train, reading.validation)
    meaning_of_folder = {
        os.path.abspath(folder.path): (side, name)
        for side, classes in enumerate(sides)
        if classes is not None
        for name, folders in classes.folders.items()
        for folder in folders
    }
    pairs = set()
    for side, photos in enumerate(loaded):
        if photos is None:
            continue
        for path, label in zip(photos.paths, photos.labels, strict=True):
            place = os.path.dirname(os.path.abspath(path))
            while place not in meaning_of_folder and place != (
                os.path.dirname(place)
            ):
                place = os.path.dirname(place)
            if place in meaning_of_folder:
                own_side, name = meaning_of_folder[place]
                if loaded[1] is not None and side != own_side:
                    return True
                pairs.add((name, int(label)))
    return any(len(set(x)) < len(pairs) for x in zip(*pairs, strict=True))


def _no_table(tree):
    return (
        "`path_column` and `label_column` are for tables, and none of labels "
        f"is in {shown(tree.path)}. Give it: `data=TABLE.csv`"
    )


def _no_photos(tree):
    detail = (
        f" ({tree.photos:,} lie directly in it, in no class)"
        if tree.photos
        else ""
    )
    return (
        f"No photos in class folders under {shown(tree.path)}{detail}. "
        f"{EXAMPLE.format(tree.path)}; or labels in a table (`data=TABLE.csv`) "
        "or in the names of the photos (`label_regex`)."
    )
