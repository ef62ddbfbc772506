"""Photos and their labels from a folder, a table or an archive."""

import functools
import os
from collections.abc import Sequence
from pathlib import Path

from thaw.atomic import default_cache_dir
from thaw.data.archives import is_archive, unpack
from thaw.data.class_folders import load_beside_table, load_folders
from thaw.data.file_names import load_by_name
from thaw.data.files import leads_out
from thaw.data.groups import group_by_path
from thaw.data.label_tables import load_tables
from thaw.data.photos import Photos
from thaw.data.table_file import is_table
from thaw.data.table_header import BY_CONTENT, ColumnNames
from thaw.errors import UserError


def load_photos(
    data: str | Path,
    validation_data: str | Path | None = None,
    label_regex: str | None = None,
    cache_dir: str | Path | None = None,
    class_names: Sequence[str] | None = None,
    group_regex: str | None = None,
    columns: ColumnNames = BY_CONTENT,
    class_folders: Sequence[str] | None = None,
) -> tuple[Photos, Photos | None]:
    """Returns (train, validation), photos and their labels.

    Args:
        data: Folder of class folders, or with `train` and `validation` of that
            kind (`class_folders.load_folders`); a table beside the photos
            (`label_tables.load_tables`); a zip or tar file of any of these.
        validation_data: The same to validate on, or None: what is in `data`.
        label_regex: Class of a photo in its name, as in
            `file_names.load_by_name`; None: the class is its folder.
        cache_dir: Folder to unpack archives into; None: the user's.
        class_names: The classes of a model, of which the photos may have any;
            None: those that the training photos have, two or more.
        group_regex: Group of a photo in its path, as in
            `groups.group_by_path`; None: as a table says, if it does.
        columns: Columns of a table with photos and labels.
        class_folders: Which folders in `data` are the classes, as in
            `readings.matching`; None: found.

    Returns:
        Two `Photos` with the same class names, of which the second may have no
        photos of some; it is None where the photos still have to be split.

    Raises:
        UserError: If there is nothing sensible to train on.
    """
    if any(columns) and not is_table(data) and not is_archive(data):
        raise UserError(
            "`path_column` and `label_column` are for tables, and "
            f"{data} is none. Expected a .csv or .tsv file."
        )
    if class_folders and (label_regex is not None or is_table(data)):
        what = "a table" if is_table(data) else "`label_regex`"
        raise UserError(
            f"`class_folders` says which folders are classes, and {what} holds "
            "the labels. Give one of them."
        )
    sources = [
        source and os.path.expanduser(source)
        for source in (data, validation_data)
    ]
    unpacked = [
        unpack(
            source, cache_dir or default_cache_dir(), label_regex is not None
        )
        if source and is_archive(source)
        else source
        for source in sources
    ]
    load_table = functools.partial(_load_tables, sources, unpacked, columns)
    if is_table(unpacked[0]):
        splits = load_beside_table(*unpacked, class_names or (), load_table)
    elif label_regex is None:
        splits = load_folders(
            *unpacked, class_folders, class_names or (), load_table
        )
    else:
        splits = load_by_name(*unpacked, label_regex)
    if group_regex is not None:
        splits = [
            photos and _group_by_path(photos, place or unpacked[0], group_regex)
            for photos, place in zip(splits, unpacked, strict=True)
        ]
    train, validation = splits
    if class_names is None:
        class_names = train.class_names
        _check_two_classes(data, train)
    train = train.with_class_names(class_names)
    if validation is not None:
        validation = validation.with_class_names(class_names, "validation_data")
    return train, validation


def _group_by_path(photos, place, group_regex):
    folder = Path(place).parent if is_table(place) else place
    return group_by_path(photos, folder, group_regex)


def _check_two_classes(data, photos):
    if len(photos.class_names) < 2:
        found = "".join(f"Only one class, '{x}'," for x in photos.class_names)
        raise UserError(
            f"{found or 'No class'} in {data}; telling classes apart takes "
            f"two. If the {len(photos):,} photos show more, their labels can "
            "be in a table (`data=TABLE.csv`) or in their names "
            "(`label_regex`)."
        )


def _load_tables(sources, unpacked, columns, data, validation_data=None):
    """Returns `label_tables.load_tables` of tables.

    One that came in an archive may name what is in it only.
    """
    splits = load_tables(data, validation_data, columns)
    for table, photos in zip(
        (data, validation_data or data), splits, strict=True
    ):
        for archive, folder in zip(sources, unpacked, strict=True):
            is_packed = folder != archive and Path(table).is_relative_to(folder)
            if is_packed and photos is not None:
                _check_inside(archive, folder, photos)
    return splits


def _check_inside(archive, folder, photos):
    """Refuses a table that came in an archive and names files elsewhere."""
    for path in photos.paths:
        if leads_out(path, folder):
            raise UserError(
                f"{archive} is refused: its table names {path}, which is not "
                "in it. Unpack it yourself if you trust it, and give the table."
            )
