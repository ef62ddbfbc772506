"""Photos and their labels from a folder, a table or an archive."""

import dataclasses
import functools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from thaw.atomic import default_cache_dir
from thaw.data.archives import is_archive, unpack
from thaw.data.class_folders import load_beside_table, load_folders
from thaw.data.class_names import composed
from thaw.data.file_names import load_by_name
from thaw.data.files import leads_out
from thaw.data.folder_tree import read_tree
from thaw.data.groups import group_by_path
from thaw.data.label_options import LabelOptions
from thaw.data.label_tables import load_tables
from thaw.data.photos import Photos
from thaw.data.reading_choice import choose_reading
from thaw.data.reading_text import describe_use
from thaw.data.shards import labelled_shards, load_shards
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
    **label_options: Any,
) -> tuple[Photos, Photos | None]:
    """Returns (train, validation), photos and their labels.

    Args:
        data: Folder of class folders, or with `train` and `validation` of that
            kind (`class_folders.load_folders`); a table beside the photos
            (`label_tables.load_tables`); a zip or tar file of any of these; or
            shards with labels (`shards.find_shards`). Tar files may be at
            addresses.
        validation_data: The same to validate on, or None: what is in `data`.
        class_names: The classes of a model, of which the photos may have any;
            None: those that the training photos have, two or more.
        split: Part of `data` to load, of `SPLIT_NAMES`, a folder or rows of a
            table; it is the first of the two. None: all, or what `data` has to
            train and to validate on.
        cache_dir: Folder to unpack archives into; None: the user's.
        **label_options: Those of `LabelOptions`.

    Returns:
        Two `Photos` with the same class names, of which the second may have no
        photos of some; it is None where the photos still have to be split.

    Raises:
        UserError: If there is nothing sensible to train on.
    """
    options = LabelOptions.of(label_options)
    _check_one_source(data, options)
    cache_dir = cache_dir or default_cache_dir()
    known, notes = class_names or (), ()
    sources: list[Any] = [
        source and os.path.expanduser(source)
        for source in (data, validation_data)
    ]
    shards = labelled_shards(sources, options, split)
    splits: Any
    if shards is not None:
        splits = [
            load_shards(x, cache_dir, options) if x else None for x in shards
        ]
    else:
        roots = [_unpacked(x, cache_dir, options) for x in sources]
        splits, notes = _load(sources, roots, options, known, split)
        if options.group_regex is not None:
            splits = _group_by_path(splits, roots, options.group_regex)
    train, validation = splits
    train = dataclasses.replace(train, notes=(*train.notes, *notes))
    if class_names is None:
        class_names = train.class_names
        _check_two_classes(data, train)
    train = train.with_class_names(class_names)
    if validation is not None:
        option = "data" if validation_data is None else "validation_data"
        validation = validation.with_class_names(class_names, option)
    return train, validation


def _unpacked(source, cache_dir, options):
    """Returns the folder of what is in an archive; others as they are."""
    if not source or not is_archive(source):
        return source
    return unpack(source, cache_dir, options.label_regex is not None)


def _load(sources, roots, options, known, split):
    """Returns both splits of folders and tables, and notes."""
    load_table = functools.partial(
        _load_tables, sources, roots, options.columns
    )
    place, notes = roots[0], ()
    if split is not None and not is_table(place):
        place, notes = _find_part(place, split, options, known, load_table)
    if is_table(place):
        load_table = functools.partial(load_table, split=split)
        return load_beside_table(place, roots[1], known, load_table), notes
    if options.label_regex is not None:
        return load_by_name(place, roots[1], options.label_regex), notes
    splits = load_folders(
        place,
        roots[1],
        options.class_folders,
        known,
        load_table,
        any(options.columns),
    )
    return splits, notes


def _check_one_source(data, options):
    """Refuses labels that are in two places."""
    places = {
        "in a table": is_table(data) or any(options.columns),
        "in the names of files (`label_regex`)": options.label_regex,
        "names of folders (`class_folders`)": options.class_folders,
    }
    given = [place for place, is_given in places.items() if is_given]
    if len(given) > 1:
        raise UserError(
            f"Labels are either {' or '.join(given)}. Received options for "
            f"both, with `data={data}`: drop one."
        )


def _find_part(root, split, options, known, load_table):
    """Returns the folder of a split, by its name, or a table; and notes."""
    check_folder(Path(root), "data")
    tree = read_tree(Path(root))
    for folder in wrappers(tree):  # one of them may be that of the split
        children = folder.with_photos()
        found = [x.path for x in children if split_role(x.name) == split]
        if found:
            break
    if len(found) == 1 and not leads_out(found[0], root):
        return found[0], ()
    if not (found or options.label_regex or options.class_folders):
        known = tuple(map(composed, known))
        reading = choose_reading(
            tree, "data", known, load_table, any(options.columns)
        )
        if reading.table is not None:
            return reading.table, describe_use(tree, reading)
    what = "several folders" if len(found) > 1 else "no folder"
    raise UserError(
        f"`split`: {root} has {what} for {split}, by the name. Give the folder "
        "itself: `data`"
    )


def _group_by_path(splits, roots, group_regex):
    """Returns both splits, grouped by the paths from each one's root on."""
    grouped = []
    for photos, root in zip(
        splits, (roots[0], roots[1] or roots[0]), strict=True
    ):
        folder = Path(root).parent if is_table(root) else root
        grouped.append(photos and group_by_path(photos, folder, group_regex))
    return grouped


def _check_two_classes(data, photos):
    if len(photos.class_names) < 2:
        found = "".join(f"Only one class, '{x}'," for x in photos.class_names)
        raise UserError(
            f"{found or 'No class'} in {data}; a classifier needs at least "
            f"two. If the {len(photos):,} photos show more, their labels can "
            "be in a table (`data=TABLE.csv`) or in their names "
            "(`label_regex`)."
        )


def _load_tables(
    sources, roots, columns, data, validation_data=None, split=None
):
    """Returns `label_tables.load_tables` of tables.

    One that came in an archive may name what is in it only.
    """
    splits = load_tables(data, validation_data, columns, split)
    for table, photos in zip(
        (data, validation_data or data), splits, strict=True
    ):
        for archive, folder in zip(sources, roots, strict=True):
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
