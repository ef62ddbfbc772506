"""Labels that are the names of folders."""

import os
import re
from collections import Counter
from pathlib import Path

import numpy as np

from thaw.data.files import (
    describe_passed_over,
    find_files,
    is_photo,
    leads_out,
    visible_entries,
)
from thaw.data.photos import (
    EXAMPLE,
    VALIDATION_NAMES,
    PhotoIndex,
    check_class_name,
    check_folder,
    check_same_classes,
)
from thaw.data.pixels import EXTENSIONS
from thaw.errors import UserError

_NAME_OF_A_SIDE = re.compile(
    r"(?<![a-z])(train(ing)?|test(ing)?|val(id(ation)?)?|eval(uation)?|dev)"
    r"(?![a-z])",
    re.IGNORECASE,
)


def index_folders(
    data: str | Path, validation_data: str | Path | None = None
) -> tuple[PhotoIndex, PhotoIndex | None]:
    """Returns (train, validation), the photos under a folder.

    Args:
        data: Folder of class folders; or folder with a `train` folder and,
            where there is one of `VALIDATION_NAMES`, that beside it (upper or
            lower case).
        validation_data: Folder of class folders that overrides the latter.

    Returns:
        As `index.index_photos`.

    Raises:
        UserError: If a folder is missing or empty, or holds other classes.
    """
    data = Path(data)
    check_folder(data, "--data")
    sides = _split_folders(data)
    root = data if validation_data is None else validation_data
    if validation_data is None:
        names = [name for name in VALIDATION_NAMES if name in sides]
        validation_data = (
            sides[names[0]] if "train" in sides and names else None
        )
    train_folder = sides.get("train", data)
    _check_leads_inside(train_folder, data)
    train = _index_classes(train_folder, data)
    if validation_data is None:
        return train, None
    validation_data = Path(validation_data)
    check_folder(validation_data, "--validation_data")
    _check_leads_inside(validation_data, root)
    validation = _index_classes(validation_data, root)
    check_same_classes(train_folder, train, validation_data, validation)
    return train, validation


def _index_classes(folder, root):
    """Returns the `PhotoIndex` of a folder with one folder per class.

    Links that lead out of the folder `root` are not followed.
    """
    entries = visible_entries(folder)
    class_names = sorted(e.name for e in entries if os.path.isdir(e))
    for name in class_names:
        check_class_name(name)
        _check_leads_inside(folder / name, root)
    folders = [folder / name for name in class_names]
    files = dict(zip(class_names, find_files(folders, root), strict=True))
    in_no_class = sum(is_photo(e.name) and os.path.isfile(e) for e in entries)
    _check_classes(folder, files, in_no_class)
    _check_is_no_split(folder, files)
    passed_over = sum((some.passed_over for some in files.values()), Counter())
    if in_no_class:
        passed_over["photos in no class folder"] = in_no_class
    counts = [len(some.photos) for some in files.values()]
    return PhotoIndex(
        tuple(path for some in files.values() for path in some.photos),
        np.repeat(np.arange(len(files), dtype="int32"), counts),
        tuple(class_names),
        passed_over,
    )


def _check_classes(folder, files, in_no_class):
    """Refuses what makes no two classes with photos in each."""
    example = EXAMPLE.format(folder)
    if not any(some.photos for some in files.values()):
        detail = (
            f" ({in_no_class} lie directly in it, in no class)"
            if in_no_class
            else ""
        )
        raise UserError(
            f"No photos in class folders under {folder}{detail}. {example}"
        )
    for name, some in files.items():
        if not some.photos:
            others = describe_passed_over(some.passed_over)
            detail = f"; passed over: {others}" if others else ""
            raise UserError(
                f"The class folder {folder / name} holds no photos "
                f"({', '.join(EXTENSIONS)}{detail}). Add some, or remove the "
                "folder."
            )
    if len(files) == 1:
        raise UserError(
            f"Only one class, '{next(iter(files))}', under {folder}; telling "
            f"classes apart takes two. {example}"
        )


def _split_folders(data):
    """Returns the folders of a split that `data` has, by lower-case name.

    A class may be called `train`, too: a folder of a split holds folders, and
    no photos of its own.
    """
    return {
        entry.name.lower(): Path(entry.path)
        for entry in visible_entries(data)
        if entry.name.lower() in ("train", *VALIDATION_NAMES)
        and os.path.isdir(entry)  # a link in a circle is none
        and any(map(os.path.isdir, visible_entries(entry.path)))
        and not any(is_photo(e.name) for e in visible_entries(entry.path))
    }


def _check_is_no_split(folder, files):
    """Refuses e.g. training_set/ and test_set/ as two classes."""
    if not all(_NAME_OF_A_SIDE.search(name) for name in files):
        return
    inner = [
        {
            os.path.dirname(os.path.relpath(path, folder / name))
            for path in some.photos
        }
        for name, some in files.items()
    ]
    if inner[0] != {""} and all(names == inner[0] for names in inner):
        larger = max(files, key=lambda name: len(files[name].photos))
        smaller = min(files, key=lambda name: len(files[name].photos))
        raise UserError(
            f"{', '.join(files)} under {folder} look like the sides of a "
            "split and not like classes: they hold the same folders. Give "
            f"--data={folder / larger} --validation_data={folder / smaller}"
        )


def _check_leads_inside(folder: Path, root: str | Path) -> None:
    """Raises a `UserError` if `folder` is a link that leads out of `root`."""
    if leads_out(folder, root):
        raise UserError(
            f"{folder} is a link that leads out of {root}, to "
            f"{os.path.realpath(folder)}. Links are followed inside the "
            "photos' own folder only: put the folder itself there."
        )
