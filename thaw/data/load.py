"""The index: which photos there are, and which class each belongs to."""

from pathlib import Path

from thaw.cached_folder import default_cache_dir
from thaw.data.archives import is_archive, unpack
from thaw.data.class_folders import index_folders
from thaw.data.file_names import index_by_name
from thaw.data.files import leads_out
from thaw.data.label_tables import index_tables, is_table
from thaw.data.photos import PhotoIndex
from thaw.errors import UserError


def index_photos(
    data: str | Path,
    validation_data: str | Path | None = None,
    label_regex: str | None = None,
    cache_dir: str | Path | None = None,
) -> tuple[PhotoIndex, PhotoIndex | None]:
    """Returns (train, validation), photos and their labels.

    Args:
        data: Folder of class folders, or with `train` and `validation` of that
            kind (`class_folders.index_folders`); a table beside the photos
            (`tables.index_tables`); a zip or tar file of any of these.
        validation_data: The same to validate on, or None: what is in `data`.
        label_regex: Class of a photo in its name, as in
            `file_names.index_by_name`; None: the class is its folder.
        cache_dir: Folder to unpack archives into; None: the user's.

    Returns:
        Two `PhotoIndex` with the same class names; the second is None where
        the photos still have to be split.

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
    if is_table(unpacked[0]):
        sides = index_tables(*unpacked)
    elif label_regex is None:
        sides = index_folders(*unpacked)
    else:
        sides = index_by_name(*unpacked, label_regex)
    for source, place, photos in zip(sources, unpacked, sides, strict=True):
        if place != source and photos is not None and is_table(place):
            _check_inside(source, Path(place).parent, photos)
    return sides


def _check_inside(archive, folder, photos):
    """Refuses a table that came in an archive and names files elsewhere."""
    for path in photos.paths:
        if leads_out(path, folder):
            raise UserError(
                f"{archive} is refused: its table names {path}, which is not "
                "in it. Unpack it yourself if you trust it, and give the table."
            )
