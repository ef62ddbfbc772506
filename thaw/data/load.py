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
from thaw.data.folder_tree import read_tree
from thaw.data.groups import group_by_path
from thaw.data.label_options import LabelOptions
from thaw.data.label_tables import load_tables
from thaw.data.photos import Photos
from thaw.data.sources import check_folder
from thaw.data.split_names import split_role
from thaw.data.table_file import is_table
from thaw.data.wrappers import wrappers
from thaw.errors import UserError


def load_photos(
    data: str | Path,
    validation_data: str | Path | None = None,
    *,
    class_names: Sequence[str] | None = None,
    split: str | None = None,
    cache_dir: str | Path | None = None,
    **label_options: object,
) -> tuple[Photos, Photos | None]:
    """Returns (train, validation), photos and their labels.

    Args:
        data: Folder of class folders, or with `train` and `validation` of that
            kind (`class_folders.load_folders`); a table beside the photos
            (`label_tables.load_tables`); a zip or tar file of any of these.
        validation_data: The same to validate on, or None: what is in `data`.
        class_names: The classes of a model, of which the photos may have any;
            None: those that the training photos have, two or more.
        split: Part of `data` to load, of `SPLIT_NAMES`; it is the first of the
            two, and the second is None. None: all, or what `data` has to train
            and to validate on.
        cache_dir: Folder to unpack archives into; None: the user's.
        **label_options: Those of `LabelOptions`.

    Returns:
        Two `Photos` with the same class names, of which the second may have no
        photos of some; it is None where the photos still have to be split.

    Raises:
        UserError: If there is nothing sensible to train on.
    """
    options = LabelOptions.of(label_options)
    label_regex = options.label_regex
    if any(options.columns) and not is_table(data) and not is_archive(data):
        raise UserError(
            "`path_column` and `label_column` are for tables, and "
            f"{data} is none. Expected a .csv or .tsv file."
        )
    if options.class_folders and (label_regex is not None or is_table(data)):
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
    if split is not None and not is_table(unpacked[0]):
        unpacked[0] = _split_folder(unpacked[0], split)
    load_table = functools.partial(
        _load_tables, sources, unpacked, options.columns, split
    )
    if is_table(unpacked[0]):
        splits = load_beside_table(*unpacked, class_names or (), load_table)
    elif label_regex is None:
        splits = load_folders(
            *unpacked, options.class_folders, class_names or (), load_table
        )
    else:
        splits = load_by_name(*unpacked, label_regex)
    if options.group_regex is not None:
        splits = [
            photos
            and _group_by_path(
                photos, place or unpacked[0], options.group_regex
            )
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


def _split_folder(data, split):
    """Returns the path of the folder of a split in `data`, by its name."""
    check_folder(Path(data), "data")
    named = (
        [x.path for x in outer.with_photos() if split_role(x.name) == split]
        for outer in wrappers(read_tree(data))
    )
    found = next(filter(None, named), [])  # a folder test/ alone is a wrapper
    if len(found) == 1 and not leads_out(found[0], data):
        return found[0]
    what = "several folders" if len(found) > 1 else "no folder"
    raise UserError(
        f"`split`: {data} has {what} for {split}, by the name. Give the folder "
        "itself: `data`"
    )


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


def _load_tables(sources, unpacked, columns, split, data, validation_data=None):
    """Returns `label_tables.load_tables` of tables.

    One that came in an archive may name what is in it only.
    """
    splits = load_tables(data, validation_data, columns, split)
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
