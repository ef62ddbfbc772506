"""Labels that are folder names."""

import os
import re
from pathlib import Path

from thaw.data.files import (
    describe_skipped,
    find_files,
    is_photo,
    leads_out,
    visible_entries,
)
from thaw.data.photos import (
    EXAMPLE,
    VALIDATION_NAMES,
    Photos,
    check_class_name,
    check_folder,
    load_both,
)
from thaw.data.pixels import EXTENSIONS
from thaw.errors import UserError

_SPLIT_NAME = re.compile(
    r"(?<![a-z])(train(ing)?|test(ing)?|val(id(ation)?)?|eval(uation)?|dev)"
    r"(?![a-z])",
    re.IGNORECASE,
)


def load_folders(
    data: str | Path,
    validation_data: str | Path | None = None,
    may_lack_classes: bool = False,
) -> tuple[Photos, Photos | None]:
    """Returns (train, validation), the photos under a folder.

    Args:
        data: Folder of class folders; or folder with a `train` folder and,
            where there is one of `VALIDATION_NAMES`, that beside it (upper or
            lower case).
        validation_data: Folder of class folders that overrides the latter; some
            may be empty.
        may_lack_classes: Whether class folders in `data` may be empty, too.

    Returns:
        As `load.load_photos`.

    Raises:
        UserError: If a folder is missing or empty, or holds other classes.
    """
    data = Path(data)
    check_folder(data, "data")
    splits = _split_folders(data)
    root = data if validation_data is None else validation_data
    if validation_data is None and "train" in splits:
        names = [name for name in VALIDATION_NAMES if name in splits]
        validation_data = splits[names[0]] if names else None
    roots = {"data": data, "validation_data": root}
    return load_both(
        lambda folder, option: _load_classes(
            folder,
            option,
            roots[option],
            may_lack_classes or option == "validation_data",
        ),
        splits.get("train", data),
        validation_data,
    )


def _load_classes(folder, option, root, may_lack_classes):
    """Returns the `Photos` of a folder with one folder per class.

    Links that lead out of the folder `root` are not followed.
    """
    check_folder(folder, option)
    _check_leads_inside(folder, root)
    entries = visible_entries(folder)
    class_names = sorted(e.name for e in entries if os.path.isdir(e))
    for name in class_names:
        check_class_name(name)
        _check_leads_inside(folder / name, root)
    folders = [folder / name for name in class_names]
    files = dict(zip(class_names, find_files(folders, root), strict=True))
    in_no_class = sum(is_photo(e.name) and os.path.isfile(e) for e in entries)
    _check_classes(folder, files, in_no_class, may_lack_classes)
    _check_is_no_split(folder, files)
    photos = Photos.labelled(
        [path for some in files.values() for path in some.photos],
        [name for name, some in files.items() for _ in some.photos],
    )
    for some in files.values():
        photos.skipped.update(some.skipped)
    if in_no_class:
        photos.skipped["photos in no class folder"] = in_no_class
    return photos


def _check_classes(folder, files, in_no_class, may_lack_classes):
    """Refuses folders that aren't classes with photos in each."""
    if not any(some.photos for some in files.values()):
        detail = (
            f" ({in_no_class} lie directly in it, in no class)"
            if in_no_class
            else ""
        )
        raise UserError(
            f"No photos in class folders under {folder}{detail}. "
            f"{EXAMPLE.format(folder)}"
        )
    for name, some in files.items():
        if not some.photos and not may_lack_classes:
            others = describe_skipped(some.skipped)
            detail = f"; skipped: {others}" if others else ""
            raise UserError(
                f"The class folder {folder / name} holds no photos "
                f"({', '.join(EXTENSIONS)}{detail}). Add some, or remove the "
                "folder."
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
    if not all(_SPLIT_NAME.search(name) for name in files):
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
            f"{', '.join(files)} under {folder} look like a split and not "
            "like classes: they hold the same folders. Give "
            f"`data={folder / larger}` `validation_data={folder / smaller}`"
        )


def _check_leads_inside(folder: Path, root: str | Path) -> None:
    """Raises a `UserError` if `folder` is a link that leads out of `root`."""
    if leads_out(folder, root):
        raise UserError(
            f"{folder} is a link that leads out of {root}, to "
            f"{os.path.realpath(folder)}. Links are followed inside the "
            "photos' own folder only: put the folder itself there."
        )
