"""The index: which photos there are, and which class each belongs to."""

import dataclasses
import hashlib
import os
import re
from collections import Counter
from pathlib import Path

import numpy as np

from errors import UserError
from input_pipeline.pixels import EXTENSIONS

PREDICTION_COLUMNS = ("path", "predicted", "probability")
VALIDATION_NAMES = ("validation", "valid", "val", "test")
_NAME_OF_A_SIDE = re.compile("train|test|val|eval|dev", re.IGNORECASE)
_EXAMPLE = "Expected one folder per class, e.g. {0}/cat/1.jpg and {0}/dog/1.jpg"


@dataclasses.dataclass(frozen=True)
class PhotoIndex:
    """Photos and their labels, in a fixed order.

    Attributes:
        paths: Path of each photo.
        labels: Index into `class_names` of each photo, int32 (N,).
        class_names: Names of the classes, sorted.
        passed_over: Number of files that are no photos, by extension.
    """

    paths: tuple[str, ...]
    labels: np.ndarray
    class_names: tuple[str, ...]
    passed_over: dict[str, int] = dataclasses.field(default_factory=dict)

    def __len__(self):
        return len(self.paths)

    def take(self, rows: np.ndarray) -> "PhotoIndex":
        """Returns the index of the photos in `rows` (ints), in their order."""
        rows = np.asarray(rows, dtype="int64")
        return PhotoIndex(
            tuple(self.paths[row] for row in rows),
            self.labels[rows],
            self.class_names,
            self.passed_over,
        )

    def counts(self) -> dict[str, int]:
        """Returns the number of photos of each class, by name."""
        counts = np.bincount(self.labels, minlength=len(self.class_names))
        return dict(zip(self.class_names, counts.tolist(), strict=True))

    def fingerprint(self) -> str:
        """Returns a SHA-256 over the name, size and label of every photo.

        The name is that of the file and the folder it is in, so a data set
        keeps its fingerprint when it is moved.
        """
        digest = hashlib.sha256()
        for path, label in zip(self.paths, self.labels, strict=True):
            name = os.fsencode(os.sep.join(Path(path).parts[-2:]))
            size = os.path.getsize(path)
            digest.update(b"%s\0%d\0%d\n" % (name, size, label))
        return digest.hexdigest()


def index_photos(
    data: str | Path, validation_data: str | Path | None = None
) -> tuple[PhotoIndex, PhotoIndex | None]:
    """Returns (train, validation), the photos under a folder.

    Args:
        data: Folder of class folders; or folder with a `train` folder and,
            where there is one of `VALIDATION_NAMES`, that beside it (upper or
            lower case).
        validation_data: Folder of class folders that overrides the latter.

    Returns:
        Two `PhotoIndex` with the same class names; the second is None where
        the photos still have to be split.

    Raises:
        UserError: If a folder is missing or empty, or holds other classes.
    """
    data = Path(data)
    check_folder(data, "--data")
    sides = _split_folders(data)
    if validation_data is None:
        names = [name for name in VALIDATION_NAMES if name in sides]
        validation_data = (
            sides[names[0]] if "train" in sides and names else None
        )
    train_folder = sides.get("train", data)
    train = index_class_folders(train_folder)
    if validation_data is None:
        return train, None
    validation_data = Path(validation_data)
    check_folder(validation_data, "--validation_data")
    validation = index_class_folders(validation_data)
    check_same_classes(train_folder, train, validation_data, validation)
    return train, validation


def check_same_classes(
    train_folder: Path,
    train: PhotoIndex,
    validation_folder: Path,
    validation: PhotoIndex,
) -> None:
    """Raises a `UserError` if the two sides hold different classes."""
    if validation.class_names != train.class_names:
        raise UserError(
            f"{train_folder} and {validation_folder} hold different classes: "
            f"{', '.join(train.class_names)} and "
            f"{', '.join(validation.class_names)}. Expected the same in both."
        )


def index_class_folders(folder: str | Path) -> PhotoIndex:
    """Returns the `PhotoIndex` of a folder with one folder per class.

    Photos are regular files that end in one of `EXTENSIONS` (in any case), at
    any depth in their class folder; what starts with a dot is passed over.

    Raises:
        UserError: If there are fewer than two classes, if one has no photos or
            a name that cannot be used, or if the folders look like a split.
    """
    folder = Path(folder)
    example = _EXAMPLE.format(folder)
    class_names = sorted(e.name for e in _visible_entries(folder) if e.is_dir())
    photos, passed_over = {}, Counter()
    for name in class_names:
        files = _find_files(folder / name)
        photos[name] = [path for path in files if _is_photo(path)]
        passed_over.update(
            os.path.splitext(path)[1].lower() or "no extension"
            for path in files
            if not _is_photo(path)
        )
    if not any(photos.values()):
        found = sum(_is_photo(entry.name) for entry in _visible_entries(folder))
        detail = f" ({found} lie directly in it, in no class)" if found else ""
        raise UserError(
            f"No photos in class folders under {folder}{detail}. {example}"
        )
    for name, paths in photos.items():
        check_class_name(name)
        if not paths:
            raise UserError(
                f"The class folder {folder / name} holds no photos "
                f"({', '.join(EXTENSIONS)}). Add some, or remove the folder."
            )
    if len(photos) == 1:
        raise UserError(
            f"Only one class, '{class_names[0]}', under {folder}; telling "
            f"classes apart takes two. {example}"
        )
    _check_is_no_split(folder, photos)
    labels = [np.full(len(paths), i) for i, paths in enumerate(photos.values())]
    return PhotoIndex(
        tuple(path for paths in photos.values() for path in paths),
        np.concatenate(labels).astype("int32"),
        tuple(class_names),
        dict(passed_over),
    )


def find_photos(folder: str | Path) -> list[str]:
    """Returns the sorted paths of all photos in `folder`, at any depth."""
    return [path for path in _find_files(folder) if _is_photo(path)]


def _find_files(folder):
    """Returns the sorted paths of all visible regular files in `folder`."""
    paths, folders = [], [folder]
    while folders:
        for entry in _visible_entries(folders.pop()):
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            elif entry.is_file():
                paths.append(entry.path)
    return sorted(paths)


def _is_photo(path):
    return path.lower().endswith(EXTENSIONS)


def _visible_entries(folder):
    with os.scandir(folder) as entries:
        return [entry for entry in entries if not entry.name.startswith(".")]


def _split_folders(data):
    """Returns the folders of a split that `data` has, by lower-case name.

    A class may be called `train`, too: a folder of a split holds folders, and
    no photos of its own.
    """
    return {
        entry.name.lower(): Path(entry.path)
        for entry in _visible_entries(data)
        if entry.name.lower() in ("train", *VALIDATION_NAMES)
        and entry.is_dir()
        and any(inner.is_dir() for inner in _visible_entries(entry.path))
        and not any(_is_photo(e.name) for e in _visible_entries(entry.path))
    }


def _check_is_no_split(folder, photos):
    """Refuses e.g. training_set/ and test_set/ as two classes."""
    if not all(_NAME_OF_A_SIDE.search(name) for name in photos):
        return
    inner = [
        {Path(path).relative_to(folder / name).parts[0] for path in paths}
        for name, paths in photos.items()
    ]
    if all(names == inner[0] for names in inner):
        larger = max(photos, key=lambda name: len(photos[name]))
        smaller = min(photos, key=lambda name: len(photos[name]))
        raise UserError(
            f"{', '.join(photos)} under {folder} look like the sides of a "
            "split and not like classes: they hold the same folders. Give "
            f"--data={folder / larger} --validation_data={folder / smaller}"
        )


def check_class_name(name: str) -> None:
    """Raises a `UserError` if predictions could not name a class so."""
    if name in PREDICTION_COLUMNS:
        raise UserError(
            f"A class cannot be called '{name}': predictions have a column of "
            "that name. Rename it."
        )
    try:
        name.encode()
    except UnicodeEncodeError:
        raise UserError(
            f"The name of the class {os.fsencode(name)} is not valid UTF-8. "
            "Rename it."
        ) from None


def check_folder(folder: Path, flag: str) -> None:
    """Raises a `UserError` if there is no such folder."""
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise UserError(f"{flag}: {folder} {what}. {_EXAMPLE.format(folder)}")
