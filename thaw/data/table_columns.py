"""Columns of a table: which of them hold photos, labels and the split."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from thaw.data.files import is_photo
from thaw.data.photo_finder import PhotoFinder
from thaw.data.table_file import Row
from thaw.data.table_header import (
    BY_CONTENT,
    LABEL_NAMES,
    PHOTO_NAMES,
    SPLIT_COLUMNS,
    ColumnNames,
    NamedRows,
)
from thaw.errors import UserError, list_some

_UNUSED = {  # columns on the split that are not used, and how they would be
    "fold": "to validate on fold 0, add a column is_valid: true where it is 0",
    "valid": "to validate where it is true, call it is_valid",
}
_GROUP = "group"
_BITS = {"0": 0, "0.0": 0, "false": 0, "1": 1, "1.0": 1, "true": 1}
_SHOWN = 3


class Columns(NamedTuple):
    """Cells of a table by what they mean, one of each row.

    Attributes:
        lines: Line in the file.
        cells: What the photo is called.
        photos: Paths of the files that this may be.
        labels: Name of the class.
        label_name: Name of the column, in lower case.
        split_name: One of `SPLIT_COLUMNS`; None: there is no such column.
        splits: Its cells, or empty ones.
        groups: Cells of the column `group`; None: there is no such column.
        note: Columns that are not obvious, or not used; or "".
    """

    lines: list[int]
    cells: list[str]
    photos: list[list[str]]
    labels: list[str]
    label_name: str
    split_name: str | None
    splits: list[str]
    groups: Sequence[str | None]
    note: str


def read_columns(
    table: Path,
    rows: Sequence[Row],
    finder: PhotoFinder,
    asked: ColumnNames = BY_CONTENT,
) -> Columns:
    """Returns what the cells of a table mean, if there is one reading.

    Photos are in the column whose cells name files: those at a path or, where
    there is none at all, those of a name; in a column `id`, those of a name.

    Args:
        table: Path of the table.
        rows: Of `table_file.read_table`.
        finder: Photos in the folder of the table.
        asked: Columns that were asked for.

    Raises:
        UserError: If no column holds photos or labels, or several may.
    """
    named = NamedRows(table, rows, finder, asked)
    photo, photos = _find_photos(named, finder, asked)
    split = next(
        (named.keys.index(x) for x in SPLIT_COLUMNS if x in named.keys), None
    )
    group = named.keys.index(_GROUP) if _GROUP in named.keys else None
    label = _find_label(named, {photo, split, group}, asked.label)
    return Columns(
        [row.line for row in named.rows],
        named.cells(photo),
        photos,
        named.cells(label),
        named.keys[label],
        None if split is None else named.keys[split],
        [""] * len(photos) if split is None else named.cells(split),
        [None] * len(photos)
        if group is None or group == label
        else named.cells(group),
        _describe(named, photo, label, {split, group}),
    )


def _find_photos(named, finder, asked):
    """Returns the column of the photos, and the photos of each cell."""
    keys = list(enumerate(named.keys))
    if asked.label is not None:
        del keys[named.column("label_column", asked.label)]
    labels = {*LABEL_NAMES, *SPLIT_COLUMNS, *_UNUSED, _GROUP}
    likely = [  # columns, the likeliest first
        [x for x, key in keys if key == "path"],
        [x for x, key in keys if key in PHOTO_NAMES],
        [x for x, key in keys if key not in labels],
    ]
    if asked.path is not None:
        likely = [[named.column("path_column", asked.path)]]
    for columns in likely:
        found = {x: _photos(named, finder, x) for x in columns}
        found = {x: photos for x, photos in found.items() if photos}
        if not found:
            continue
        column, photos = next(iter(found.items()))
        if any(others != photos for others in found.values()):
            raise _question(named, "photos", "path_column", found)
        if not named.is_sure and not any(map(is_photo, named.cells(column))):
            raise UserError(
                f"{named.table}: the first line ({list_some(named.names)}) may "
                "be a header, or name a missing photo. If it is a header, say "
                "so: `path_column=NAME` `label_column=NAME`; if not: "
                "`path_column=1` `label_column=2`"
            )
        return column, photos
    raise UserError(
        f"{named.table} names no photo in {named.table.parent}. Expected a "
        "column of paths from there on, or of names of files anywhere in it. "
        f"{named.describe()}"
    )


def _photos(named, finder, column):
    """Returns the photos of each cell of a column; None if there is none."""
    ways = [finder.at_path, finder.named]
    for way in ways[named.keys[column] == "id" :]:
        photos = list(map(way, named.cells(column)))
        if any(photos):
            return photos
    return None


def _find_label(named, taken, asked):
    """Returns the column of the labels, none of `taken`."""
    if asked is not None:
        return named.column("label_column", asked)
    free = [
        x
        for x, key in enumerate(named.keys)
        if x not in taken and (key or not named.has_header)
    ]
    found = [x for x in free if named.keys[x] == "label"]
    found = found or [x for x in free if named.keys[x] in LABEL_NAMES]
    if not found:
        others = {*SPLIT_COLUMNS, *_UNUSED}
        found = [x for x in free if named.keys[x] not in others]
        _check_one_hot(named, found)
    if len(found) != 1:
        raise _question(named, "labels", "label_column", found)
    return found[0]


def _check_one_hot(named, columns):
    """Refuses a column of 0 and 1 for each class."""
    columns = [x for x in columns if {*map(_bit, named.cells(x))} <= {0, 1}]
    if len(columns) < 2:
        return
    names = [named.names[x] for x in columns]
    text = (
        f"{named.table} has a column of 0 and 1 for each of {len(columns)} "
        f"labels: {list_some(names)}."
    )
    for row in named.rows:
        count = sum(_bit(row.cells[x]) for x in columns)
        if count != 1:
            raise UserError(
                f"{text} The photo on line {row.line} has {count} of them; "
                "expected one for each photo. To learn one of the columns: "
                "`label_column=NAME`"
            )
    raise UserError(
        f"{text} Expected one column with their names. In pandas: "
        "table['label'] = table[names].idxmax(axis=1), where names = "
        f"[{list_some([repr(x) for x in names], _SHOWN)}]"
    )


def _bit(cell):
    return _BITS.get(cell.lower())


def _question(named, what, option, columns):
    names = list_some([named.names[x] for x in columns])
    found = f"may be in {names}" if names else "are in no column"
    return UserError(
        f"{named.table}: {what} {found}. {named.describe()} Say which: "
        f"`{option}=NAME`"
    )


def _describe(named, photo, label, others):
    """Returns which columns are used, if not the usual ones, and which not."""
    parts = [] if named.has_header else ["no header"]
    usual = named.keys[photo] in ("path", "id") and named.keys[label] == "label"
    if not usual:
        parts.append(
            f"photos in column {named.names[photo]}, labels in column "
            f"{named.names[label]}"
        )
    used = {photo, label, *others}
    unused = [
        f"{name} ({_UNUSED[key]})" if key in _UNUSED else name
        for x, (name, key) in enumerate(
            zip(named.names, named.keys, strict=True)
        )
        if key and x not in used
    ]
    if unused:
        parts.append(f"not used: {list_some(unused)}")
    return f"{named.table.name}: {'; '.join(parts)}" if parts else ""
