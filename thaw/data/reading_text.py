"""Readings of a folder in words: small trees with counts of photos."""

import os
import shlex
from collections import Counter
from collections.abc import Sequence

from thaw.data.folder_tree import Folder
from thaw.data.readings import Reading
from thaw.data.split_names import is_occasion, split_role
from thaw.data.wrappers import wrappers
from thaw.errors import shown

_CLASSES_SHOWN = 8
_READINGS_SHOWN = 6
_FOLDERS_SHOWN = 3


def describe_readings(
    folder: Folder,
    readings: Sequence[Reading],
    option: str,
    to_train: bool = True,
) -> str:
    """Returns a message: the readings of a folder, and how to ask for each.

    Args:
        folder: The folder.
        readings: Its readings, one or more; where one is weak, the photos may
            also have no labels there.
        option: Name of the option that gave it.
        to_train: Whether the photos are those to train on, for which there is
            `class_folders`.
    """
    parts = [
        _describe(folder, reading, option, to_train)
        for reading in readings[:_READINGS_SHOWN]
    ]
    more = len(readings) - _READINGS_SHOWN
    if any(reading.weak for reading in readings):
        parts.append(_describe_unlabelled(folder, option))
    numbered = [f"{number}. {part}" for number, part in enumerate(parts, 1)]
    if more > 0:
        numbered.append(f"and {more:,} more")
    return "\n".join(
        [
            f"`{option}`: {shown(folder.path)} can be read in "
            f"{len(parts) + max(more, 0):,} ways. Give the options of the one "
            "that is meant:",
            *numbered,
        ]
    )


def _describe(folder, reading, option, to_train):
    """Returns the title of a reading, its tree, and its options."""
    count = len(reading.class_names)
    title = f"{count:,} class{'' if count == 1 else 'es'}"
    if reading.table is not None:
        title += ", in a table"
    elif reading.validation is not None:
        title += ", split into training and validation photos"
    options = reading.options
    lines = [title, *_tree(folder, reading)]
    if not options:
        return _indented(
            lines,
            "if so, make it train/CLASS/ and validation/CLASS/, or a table "
            "with a column split",
        )
    if not to_train:
        if "class_folders" in options:
            return _indented(lines, "if so, move other photos out of it")
        options = {option: options.get("validation_data", options["data"])}
    given = [f"`{name}={_quoted(text)}`" for name, text in options.items()]
    return _indented(lines, " ".join(given))


def _describe_unlabelled(folder, option):
    """Returns the same for photos whose labels are not in this folder."""
    counts = {inner.name: inner.total for inner in folder.with_photos()}
    tables = [
        f"  {_name(folder, path)} (a table)"
        for inner in (folder, *folder.folders)
        for path in inner.tables
    ]
    title = f"{_count(folder.total)}, labelled in a table or in their names"
    by_name = f"`{option}={_quoted(folder.path)}` `label_regex=REGEX`"
    return _indented(
        [title, *_listed(counts), *tables[:_FOLDERS_SHOWN]],
        f"`{option}=TABLE.csv`, or {by_name}",
    )


def _indented(lines, last):
    return "\n".join(
        [lines[0], *(f"     {x}" for x in lines[1:]), f"   {last}"]
    )


def describe_use(folder: Folder, reading: Reading) -> tuple[str, ...]:
    """Returns lines on what of a folder is used, where that isn't plain.

    Args:
        folder: The folder.
        reading: The reading of it that is taken.
    """
    lines = []
    if reading.table is not None:
        lines.append(f"Labels: those of the table {shown(reading.table)}")
    elif _is_wrapper(folder, reading.train.folder):
        lines.append(
            f"Training photos: those in {shown(reading.train.folder.path)}"
        )
    if reading.validation is not None:
        place = reading.validation.folder.path
        if split_role(os.path.basename(place)) != "validation":
            lines.append(f"Validation photos: those in {shown(place)}")
    elif reading.train is not None and _is_nested(folder, reading.train):
        lines.append(
            "The folders inside the class folders are no classes; to make them "
            "the classes: `class_folders='*/*'`"
        )
    for unused in reading.unused[:_FOLDERS_SHOWN]:
        lines.append(
            f"{_with_count(folder, unused)} was not used; "
            f"{_way_to_use(unused, reading)}"
        )
    more = len(reading.unused) - _FOLDERS_SHOWN
    if more > 0:
        folders = "folder was" if more == 1 else "folders were"
        lines.append(f"{more:,} more {folders} not used")
    for inner in wrappers(folder, reading.class_names)[-1].folders:
        if not inner.total and split_role(inner.name):
            lines.append(f"{_name(folder, inner.path)}/ holds no photos")
    for path in reading.unused_tables:
        lines.append(
            f"The table {_name(folder, path)} was not used; to train on its "
            f"labels: `data={_quoted(path)}`"
        )
    return tuple(lines)


def unused_counts(folder: Folder, reading: Reading) -> dict[str, int]:
    """Returns the photos that no line of `describe_use` names.

    Returns:
        Their number, by the kind that `Photos.skipped` has.
    """
    if reading.loaded is not None:
        used = sum(map(len, filter(None, reading.loaded)))
        counts = {"photos that are not in the table": folder.total - used}
    else:
        outer = wrappers(folder, reading.class_names)
        beside = sum(x.photos for x in outer if x is not reading.train.folder)
        counts = {"photos in no class folder": beside}
    return {kind: count for kind, count in counts.items() if count > 0}


def _is_wrapper(folder, inner):
    """Returns whether `inner` is more than the `train` folder of `folder`."""
    return inner is not folder and not (
        inner in folder.folders and split_role(inner.name) == "train"
    )


def _is_nested(folder, classes):
    """Returns whether each class folder holds what may be class folders."""
    return classes.folder is folder and all(
        len(names) > 1 and not all(map(is_occasion, names))
        for folders in classes.folders.values()
        for names in [folder.names() for folder in folders]
    )


def _way_to_use(unused, reading):
    path = _quoted(unused.path)
    if any(inner.name in reading.class_names for inner in unused.folders):
        return (
            f"to evaluate on it: python evaluate.py RUN --data={path}, to "
            f"validate on it: `validation_data={path}`"
        )
    return f"to predict its classes: python predict.py RUN {path}"


def _tree(folder, reading):
    """Yields the lines of a tree."""
    if reading.table is not None:
        counts = Counter()
        for photos in filter(None, reading.loaded):
            counts.update(photos.counts())
        yield _name(folder, reading.table)
        yield from _listed(counts)
        return
    for use, classes in (
        ("training", reading.train),
        ("validation", reading.validation),
    ):
        if classes is not None:
            counts = {
                _place(classes, x): classes.count(x) for x in classes.names
            }
            total = _count(sum(counts.values()))
            yield f"{use}: {_name(folder, classes.folder.path)}/ ({total})"
            yield from _listed(counts)
    for unused in reading.unused[:_FOLDERS_SHOWN]:
        yield f"not used: {_with_count(folder, unused)}"
    more = len(reading.unused) - _FOLDERS_SHOWN
    if more > 0:
        yield f"not used: {more:,} more folders"


def _listed(counts):
    """Yields a line for each class, the first by name."""
    for name in sorted(counts)[:_CLASSES_SHOWN]:
        yield f"  {shown(name)}/ ({_count(counts[name])})"
    if len(counts) > _CLASSES_SHOWN:
        yield f"  and {len(counts) - _CLASSES_SHOWN:,} more classes"


def _place(classes, name):
    """Returns where the photos of a class are: cat/, */cat/ or cat/images/."""
    first, *more = classes.folders[name]
    path = os.path.relpath(first.path, classes.folder.path)
    return (
        os.path.join(*("*" for _ in path.split(os.sep)[:-1]), name)
        if more
        else path
    )


def _quoted(value):
    return shlex.quote(shown(value))


def _name(folder, path):
    """Returns a path inside a folder, from there on."""
    name = os.path.relpath(path, folder.path)
    return shown(os.path.basename(folder.path) if name == os.curdir else name)


def _with_count(folder, inner):
    return f"{_name(folder, inner.path)}/ ({_count(inner.total)})"


def _count(number):
    return f"{number:,} photo{'' if number == 1 else 's'}"
