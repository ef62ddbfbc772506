"""Labels in a table beside the photos: CSV or TSV."""

import csv
import os
from pathlib import Path

from thaw.data import SPLIT_NAMES
from thaw.data.files import find_photos
from thaw.data.photos import VALIDATION_NAMES, Photos, load_both
from thaw.errors import UserError

DELIMITERS = {".csv": ",", ".tsv": "\t"}
_SHOWN = 3


def is_table(data: str | Path) -> bool:
    """Returns whether `data` is meant as a table, by its name."""
    return Path(data).suffix.lower() in DELIMITERS


def load_tables(
    data: str | Path,
    validation_data: str | Path | None = None,
    split: str | None = None,
) -> tuple[Photos, Photos | None]:
    """Returns (train, validation), the photos that tables name.

    Args:
        data: CSV or TSV file with a header. Columns: `path`, from the folder
            of the table on, or `id`, the name of a file anywhere in that
            folder, without ending; `label`; and, if it likes, `split`, `train`
            or one of `VALIDATION_NAMES`. Others are ignored.
        validation_data: The same to validate on; its and the other's `split`
            do not count then.
        split: As in `load.load_photos`.

    Returns:
        As `load.load_photos`.

    Raises:
        UserError: If the table is missing or lacks a column, a photo is not
            there or has two labels, or the labels make no classes.
    """
    if validation_data is not None:
        return load_both(_load_whole, data, validation_data)
    table = Path(data)
    labels = _labels(table)
    if split is not None:
        return _load_split(table, labels, split), None
    splits = {split for _, split in labels.values()}
    validation_names = [name for name in VALIDATION_NAMES if name in splits]
    if not validation_names:
        return _photos(table, labels), None
    split_of = {"data": "train", "validation_data": validation_names[0]}
    train, validation = load_both(
        lambda _, option: _photos(table, labels, split_of[option]), table, table
    )
    for name in validation_names[1:]:
        count = sum(split == name for _, split in labels.values())
        train.skipped[f"photos of split {name}"] = count
    return train, validation


def _load_split(table, labels, split):
    rows = {
        path: (label, split)
        for path, (label, of_path) in labels.items()
        if of_path in SPLIT_NAMES[split]
    }
    if not rows:
        raise UserError(
            f"`split`: {table} has no rows whose `split` is "
            f"{' or '.join(SPLIT_NAMES[split])}."
        )
    return _photos(table, rows)


def _load_whole(table, option):
    if not is_table(table):
        raise UserError(
            f"`{option}`: {table} is no table, as `data` is. Expected a .csv "
            "or .tsv file."
        )
    return _photos(table, _labels(table))


def _photos(table, labels, split=None):
    """Returns the `Photos` of a split, or, None, of all."""
    some = {
        path: label
        for path, (label, of_path) in labels.items()
        if split in (None, of_path)
    }
    return Photos.labelled(list(some), list(some.values()))


def _labels(table):
    """Returns (label, split) by path, in the order of the table."""
    rows = _read(table)
    paths = _paths(table, rows)
    labels = {}
    for number, (row, path) in enumerate(zip(rows, paths, strict=True), 2):
        label = (row["label"] or "").strip()
        if not label:
            raise UserError(f"{table}, line {number}: there is no label.")
        split = (row.get("split") or "train").strip().lower()
        if split not in ("train", *VALIDATION_NAMES):
            raise UserError(
                f"{table}, line {number}: split is {split!r}. Expected train "
                f"or {', '.join(VALIDATION_NAMES)}."
            )
        known = labels.setdefault(path, (label, split))
        if known != (label, split):
            raise UserError(
                f"{table}, line {number}: {path} has two labels or splits, "
                f"{' '.join(known)} and {label} {split}."
            )
    return labels


def _read(table):
    """Returns the rows as dicts by the lower-case name of the column."""
    if not table.is_file():
        raise UserError(f"There is no table {table}.")
    try:
        with open(table, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(
                file, delimiter=DELIMITERS[table.suffix.lower()]
            )
            names = [name.strip().lower() for name in reader.fieldnames or ()]
            reader.fieldnames = names
            rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(
            f"{table} is not a table in UTF-8 ({error}). Expected a header "
            "with path,label or id,label."
        ) from error
    if "label" not in names or not {"path", "id"} & set(names):
        raise UserError(
            f"{table} has the columns {', '.join(names) or 'none'}. Expected "
            "path,label or id,label."
        )
    if not rows:
        raise UserError(f"{table} names no photos.")
    return rows


def _paths(table, rows):
    """Returns the path of the photo of each row."""
    folder = table.parent
    if "path" in rows[0]:
        paths = [folder / (row["path"] or "").strip() for row in rows]
        missing = [path.name for path in paths if not path.is_file()]
    else:
        by_name = {}
        for path in find_photos(folder):
            name = Path(path).name
            for key in {name, os.path.splitext(name)[0]}:
                by_name.setdefault(key, []).append(path)
        names = [(row["id"] or "").strip() for row in rows]
        for name in names:
            if len(by_name.get(name, ())) > 1:
                raise UserError(
                    f"{table}: the id {name} fits more than one photo: "
                    f"{', '.join(by_name[name][:_SHOWN])}"
                )
        missing = [name for name in names if name not in by_name]
        paths = [by_name.get(name, [""])[0] for name in names]
    if missing:
        raise UserError(
            f"{table}: {len(missing)} of {len(rows)} photos are not there, "
            f"e.g. {', '.join(missing[:_SHOWN])}"
        )
    # So that a photo named in two ways is one.
    return [os.path.normpath(path) for path in paths]
