"""Photos and their labels from a folder, a table or an archive."""

from collections.abc import Sequence
from pathlib import Path

from thaw.atomic import default_cache_dir
from thaw.data import SPLIT_NAMES
from thaw.data.archives import is_archive, unpack
from thaw.data.class_folders import load_folders
from thaw.data.file_names import load_by_name
from thaw.data.files import leads_out, visible_entries
from thaw.data.label_tables import is_table, load_tables
from thaw.data.photos import Photos, check_folder
from thaw.errors import UserError


def load_photos(
    data: str | Path,
    validation_data: str | Path | None = None,
    label_regex: str | None = None,
    cache_dir: str | Path | None = None,
    class_names: Sequence[str] | None = None,
    split: str | None = None,
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
        split: Part of `data` to load, of `SPLIT_NAMES`; it is the first of the
            two, and the second is None. None: all, or what `data` has to train
            and to validate on.

    Returns:
        Two `Photos` with the same class names, of which the second may have no
        photos of some; it is None where the photos still have to be split.

    Raises:
        UserError: If there is nothing sensible to train on.
    """
    sources = [data, validation_data]
    unpacked = [
        unpack(source, cache_dir or default_cache_dir())
        if source and is_archive(source)
        else source
        for source in sources
    ]
    if split is not None and not is_table(unpacked[0]):
        unpacked[0] = _split_folder(Path(unpacked[0]), split)
    if is_table(unpacked[0]):
        splits = load_tables(*unpacked, split)
    elif label_regex is None:
        splits = load_folders(*unpacked, class_names is not None)
    else:
        splits = load_by_name(*unpacked, label_regex)
    for source, place, photos in zip(sources, unpacked, splits, strict=True):
        if place != source and photos is not None and is_table(place):
            _check_inside(source, Path(place).parent, photos)
    train, validation = splits
    if class_names is None:
        class_names = train.class_names
        _check_two_classes(data, class_names)
    train = train.with_class_names(class_names)
    if validation is not None:
        validation = validation.with_class_names(class_names, "validation_data")
    return train, validation


def _split_folder(data, split):
    """Returns the folder of a split in `data`, in upper or lower case."""
    check_folder(data, "data")
    for entry in visible_entries(data):
        if entry.name.lower() in SPLIT_NAMES[split] and entry.is_dir():
            if not leads_out(entry.path, data):
                return Path(entry.path)
    raise UserError(
        f"`split`: {data} has no folder {' or '.join(SPLIT_NAMES[split])}. "
        "Give the folder itself: `data`"
    )


def _check_two_classes(data, class_names):
    if len(class_names) < 2:
        found = "".join(f"Only one class, '{x}'," for x in class_names)
        raise UserError(
            f"{found or 'No class'} in {data}; telling classes apart takes two."
        )


def _check_inside(archive, folder, photos):
    """Refuses a table that came in an archive and names files elsewhere."""
    for path in photos.paths:
        if leads_out(path, folder):
            raise UserError(
                f"{archive} is refused: its table names {path}, which is not "
                "in it. Unpack it yourself if you trust it, and give the table."
            )
