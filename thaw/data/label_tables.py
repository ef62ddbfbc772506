"""Labels in a table beside the photos: CSV or TSV."""

import dataclasses
import functools
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from thaw.data import SPLIT_NAMES
from thaw.data.photo_finder import PhotoFinder
from thaw.data.photos import Photos
from thaw.data.sources import VALIDATION_NAMES, load_both
from thaw.data.table_columns import read_columns
from thaw.data.table_file import DELIMITERS, is_table, read_table
from thaw.data.table_header import BY_CONTENT, ColumnNames
from thaw.errors import UserError, list_some, shown

_SHOWN = 3
_IS_VALID = {
    **dict.fromkeys(("true", "1", "1.0"), "validation"),
    **dict.fromkeys(("false", "0", "0.0"), "train"),
}


class _Facts(NamedTuple):
    """Content of a photo's row; `group` is None without that column."""

    label: str
    split: str
    group: str | None


def load_tables(
    data: str | Path,
    validation_data: str | Path | None = None,
    asked: ColumnNames = BY_CONTENT,
    split: str | None = None,
) -> tuple[Photos, Photos | None]:
    """Returns (train, validation), the photos that tables name.

    Args:
        data: CSV or TSV file, with a column of photos and one of labels
            (`table_columns.read_columns`); and, if it likes, `split`, `train`
            or one of `VALIDATION_NAMES`, or `is_valid`, true or false; and
            `group`, of the photos that stay together.
        validation_data: The same to validate on; its and the other's split
            does not count then.
        asked: Columns of photos and labels; by default what the tables tell.
        split: As in `load.load_photos`.

    Returns:
        As `load.load_photos`. Photos that are not there are among them.

    Raises:
        UserError: If a table can't be read in one way, a photo has two labels,
            or the labels make no classes.
    """
    if validation_data is not None:
        load = functools.partial(_load_whole, asked)
        return load_both(load, data, validation_data)
    table = Path(data)
    labels, note = _labels(table, asked)
    splits = Counter(facts.split for facts in labels.values())
    if split is not None:
        known = [name for name in SPLIT_NAMES[split] if splits[name]]
        if not known:
            raise UserError(
                f"`split`: {table} has no rows whose split is "
                f"{' or '.join(SPLIT_NAMES[split])}."
            )
        return _photos(labels, note, known), None
    validation_names = [name for name in VALIDATION_NAMES if name in splits]
    if not validation_names:
        return _photos(labels, note, ["train"]), None
    split_of = {"data": ["train"], "validation_data": validation_names[:1]}
    notes = {"data": note, "validation_data": ""}
    if split_of["validation_data"] == ["test"]:
        notes["validation_data"] = (
            f"Validation photos: those of split test in {shown(table.name)}"
        )
    train, validation = load_both(
        lambda _, option: _photos(labels, notes[option], split_of[option]),
        table,
        table,
    )
    for name in validation_names[1:]:
        train.skipped[f"photos of split {name}"] = splits[name]
    return train, validation


def _load_whole(asked, table, option):
    if not is_table(table):
        raise UserError(
            f"`{option}`: {table} is not a table, but `data` is. Expected a "
            ".csv or .tsv file."
        )
    labels, note = _labels(table, asked)
    photos = _photos(labels, note)
    count = sum(facts.split != "train" for facts in labels.values())
    if not count:
        return photos
    note = (
        f"{table.name}: its split does not count, as `validation_data` is "
        f"given: all {len(photos):,} photos are used, also {count:,} of other "
        "splits than train"
    )
    return dataclasses.replace(photos, notes=(*photos.notes, note))


def _photos(labels, note, splits=("train", *VALIDATION_NAMES)):
    """Returns the `Photos` of some splits."""
    some = {
        path: facts for path, facts in labels.items() if facts.split in splits
    }
    names = [facts.label for facts in some.values()]
    groups = [x.group for x in some.values() if x.group is not None]
    photos = Photos.labelled(list(some), names, groups)
    return dataclasses.replace(photos, notes=(note,) if note else ())


def _labels(table, asked):
    """Returns `_Facts` by path, in the order of the table; and a note."""
    finder = PhotoFinder(table.parent)
    columns = _read(table, finder, asked)
    labels, twice = {}, {}
    for line, cell, photos, label, split, group in zip(
        columns.lines,
        columns.cells,
        columns.photos,
        columns.labels,
        columns.splits,
        columns.groups,
        strict=True,
    ):
        if not cell or not label:
            missing = "label" if cell else "name of a photo"
            raise UserError(f"{table}, line {line}: there is no {missing}.")
        if len(photos) > 1:
            raise UserError(
                f"{table}, line {line}: {cell} fits more than one photo: "
                f"{list_some(photos, _SHOWN)}. Expected its path from "
                f"{table.parent} on."
            )
        path = photos[0] if photos else finder.expected_path(cell)
        split = _split(table, line, columns.split_name, split)
        # A photo without a group is one of its own.
        facts = _Facts(label, split, path if group == "" else group)
        known = labels.setdefault(path, facts)
        if known != facts:
            twice.setdefault(path, (line, known, facts))
    if twice:
        raise _twice_error(table, twice)
    _check_one_label(table, columns.label_name, columns.labels)
    return labels, columns.note


def _read(table, finder, asked):
    """Returns the `Columns` of a table, by the delimiter that gives some."""
    found, errors = {}, []
    for delimiter, rows in read_table(table).items():
        try:
            found[delimiter] = read_columns(table, rows, finder, asked)
        except UserError as error:
            errors.append(error)
    if len(found) > 1:
        words = " or ".join(DELIMITERS[x] for x in found)
        raise UserError(
            f"{table}: cells may be separated by {words}. Put quotes around "
            "cells that hold the other."
        )
    if not found:
        raise errors[0]
    return next(iter(found.values()))


def _split(table, line, name, cell):
    """Returns `train` or one of `VALIDATION_NAMES`."""
    value = cell.lower()
    if name in (None, "split"):
        if value in ("", "train", *VALIDATION_NAMES):
            return value or "train"
        expected = f"train or {', '.join(VALIDATION_NAMES)}"
    elif value in _IS_VALID:
        return _IS_VALID[value]
    else:
        expected = "true or false"
    raise UserError(
        f"{table}, line {line}: {name} is {cell!r}. Expected {expected}."
    )


def _twice_error(table, twice):
    (path, (line, known, other)), *more = twice.items()
    what, first, second = next(
        pair
        for pair in zip(_Facts._fields, known, other, strict=True)
        if pair[1] != pair[2]
    )
    others = f", and so have {len(more):,} other photos" if more else ""
    return UserError(
        f"{table}, line {line}: {path} has two {what}s, {first} and {second}"
        f"{others}. Expected one {what} for each photo: remove the other rows."
    )


def _check_one_label(table, column, labels):
    """Refuses labels that are lists: `a|b`, or `a b` where a and b are, too."""
    counts = Counter(labels)
    for separator in "|;, ":
        lists = {
            label: [part.strip() for part in label.split(separator)]
            for label in counts
            if separator in label
        }
        parts = Counter(part for x in lists.values() for part in x)
        is_loose = separator == "|" or column == "tags"
        found = [
            label
            for label, own in lists.items()
            if all(part in counts for part in own)
            or is_loose
            and any(part in counts or parts[part] > 1 for part in own)
        ]
        if found:
            count = sum(counts[label] for label in found)
            raise UserError(
                f"{table}: labels such as '{found[0]}' (of {count:,} photos) "
                "look like several labels. Expected one per photo: keep one, "
                "or leave these photos out. If it is the name of one class, "
                f"write it without '{separator}'."
            )
