"""The index: which photos there are, and which class each belongs to."""

import dataclasses
import hashlib
import os
from pathlib import Path

import numpy as np

from errors import UserError

EXTENSIONS = (".jpg", ".jpeg", ".png")
VALIDATION_NAMES = ("validation", "valid", "val", "test")
_EXAMPLE = "Expected one folder per class, e.g. {0}/cat/1.jpg and {0}/dog/1.jpg"


@dataclasses.dataclass(frozen=True)
class PhotoIndex:
    """Photos and their labels, in a fixed order.

    Attributes:
        paths: Path of each photo.
        labels: Index into `class_names` of each photo, int32 (N,).
        class_names: Names of the classes, sorted.
    """

    paths: tuple[str, ...]
    labels: np.ndarray
    class_names: tuple[str, ...]

    def __len__(self):
        return len(self.paths)

    def take(self, rows):
        """Returns the index of the photos in `rows` (ints), in their order."""
        rows = np.asarray(rows, dtype="int64")
        return PhotoIndex(
            tuple(self.paths[row] for row in rows),
            self.labels[rows],
            self.class_names,
        )

    def counts(self):
        """Returns the number of photos of each class, by name."""
        counts = np.bincount(self.labels, minlength=len(self.class_names))
        return dict(zip(self.class_names, counts.tolist(), strict=True))

    def fingerprint(self):
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


def index_photos(data, validation_data=None):
    """Returns (train, validation), the photos under a folder.

    Args:
        data: Folder of class folders; or folder with a `train` folder and,
            where there is one of `VALIDATION_NAMES`, that beside it.
        validation_data: Folder of class folders that overrides the latter.

    Returns:
        Two `PhotoIndex` with the same class names; the second is None where
        the photos still have to be split.

    Raises:
        UserError: If a folder is missing or empty, or holds other classes.
    """
    data = Path(data)
    _check_folder(data, "--data")
    train_folder = data / "train"
    if not train_folder.is_dir():
        train_folder = data
    elif validation_data is None:
        names = [name for name in VALIDATION_NAMES if (data / name).is_dir()]
        validation_data = data / names[0] if names else None
    train = index_class_folders(train_folder)
    if validation_data is None:
        return train, None
    validation_data = Path(validation_data)
    _check_folder(validation_data, "--validation_data")
    validation = index_class_folders(validation_data)
    if validation.class_names != train.class_names:
        raise UserError(
            f"{train_folder} and {validation_data} hold different classes: "
            f"{', '.join(train.class_names)} and "
            f"{', '.join(validation.class_names)}. Expected the same folders "
            "in both."
        )
    return train, validation


def index_class_folders(folder):
    """Returns the `PhotoIndex` of a folder with one folder per class.

    Photos are regular files that end in one of `EXTENSIONS` (in any case), at
    any depth in their class folder; what starts with a dot is passed over.

    Raises:
        UserError: If there are fewer than two classes or one has no photos.
    """
    folder = Path(folder)
    example = _EXAMPLE.format(folder)
    class_folders = sorted(
        entry.name for entry in _visible_entries(folder) if entry.is_dir()
    )
    photos = {name: find_photos(folder / name) for name in class_folders}
    if not any(photos.values()):
        found = len(find_photos(folder))
        detail = f" ({found} lie directly in it, in no class)" if found else ""
        raise UserError(
            f"No photos in class folders under {folder}{detail}. {example}"
        )
    for name, paths in photos.items():
        if not paths:
            raise UserError(
                f"The class folder {folder / name} holds no photos "
                f"({', '.join(EXTENSIONS)}). Add some, or remove the folder."
            )
    if len(photos) == 1:
        raise UserError(
            f"Only one class, '{class_folders[0]}', under {folder}; telling "
            f"classes apart takes two. {example}"
        )
    labels = [np.full(len(paths), i) for i, paths in enumerate(photos.values())]
    return PhotoIndex(
        tuple(path for paths in photos.values() for path in paths),
        np.concatenate(labels).astype("int32"),
        tuple(class_folders),
    )


def find_photos(folder):
    """Returns the sorted paths of all photos in `folder`, at any depth."""
    paths, folders = [], [folder]
    while folders:
        for entry in _visible_entries(folders.pop()):
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            elif entry.name.lower().endswith(EXTENSIONS) and entry.is_file():
                paths.append(entry.path)
    return sorted(paths)


def _visible_entries(folder):
    try:
        with os.scandir(folder) as entries:
            return [e for e in entries if not e.name.startswith(".")]
    except PermissionError as error:
        raise UserError(f"Cannot read the folder {folder}: {error}.") from error


def _check_folder(folder, flag):
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise UserError(f"{flag}: {folder} {what}. {_EXAMPLE.format(folder)}")
