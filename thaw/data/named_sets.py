"""Data sets by name, downloaded by Keras and kept as folders of photos."""

import http.client
import os
from pathlib import Path

from PIL import Image

from thaw.atomic import cached_folder
from thaw.errors import UserError
from thaw.progress import heavy_imports, say

# The classes of CIFAR-10 in the order of its labels (Krizhevsky 2009).
_CIFAR10_CLASSES = (
    "airplane automobile bird cat deer dog frog horse ship truck".split()
)
# The set of the TensorFlow tutorials: 1,000 + 500 photos of each class.
_CATS_VS_DOGS_URL = (
    "https://storage.googleapis.com/mledu-datasets/cats_and_dogs_filtered.zip"
)
_CATS_VS_DOGS_COUNTS = {"train": 2000, "validation": 1000}

NAMED_SETS = ("cats_vs_dogs", "cifar10", "mnist")


def load_named_set(name: str, cache_dir: str | Path) -> Path:
    """Returns the folder of a data set, downloading it the first time.

    Args:
        name: One of `NAMED_SETS`.
        cache_dir: Folder to keep the photos in; made if missing.

    Returns:
        Path of a folder with `train` and `validation`.

    Raises:
        UserError: If it cannot be downloaded, or is not what it should be.
    """
    make = _make_cats_vs_dogs if name == "cats_vs_dogs" else _make_from_arrays

    def download_and_make(folder):
        try:
            make(name, folder)
        except Exception as error:
            # Keras raises a plain Exception where a URL cannot be fetched.
            if "URL fetch failure" not in str(error) and not isinstance(
                error, http.client.HTTPException
            ):
                raise
            raise UserError(
                f"Cannot download {name}: {error}. Is there a network? Your "
                "own photos: `data=FOLDER`; without any: leave out `data`."
            ) from error

    return cached_folder(Path(cache_dir) / name, download_and_make)


def _make_from_arrays(name, folder):
    """Writes CIFAR-10 or MNIST as PNG files."""
    with heavy_imports():
        from keras import datasets

    both = getattr(datasets, name).load_data()
    names = _CIFAR10_CLASSES if name == "cifar10" else "0123456789"
    say(f"Writing {name} to {folder.parent}")
    for split, (images, labels) in zip(
        ("train", "validation"), both, strict=True
    ):
        for class_name in names:
            (folder / split / class_name).mkdir(parents=True)
        for number, label in enumerate(labels.ravel()):
            path = folder / split / names[label] / f"{number:05d}.png"
            Image.fromarray(images[number]).save(path)


def _make_cats_vs_dogs(name, folder):
    """Unpacks the photos of the zip file, and counts them."""
    with heavy_imports():
        from keras.utils import get_file

    unpacked = Path(
        get_file("thaw_cats_vs_dogs", origin=_CATS_VS_DOGS_URL, extract=True)
    )
    for split, expected in _CATS_VS_DOGS_COUNTS.items():
        paths = sorted(unpacked.glob(f"**/{split}/*/*.jpg"))
        if len(paths) != expected:
            raise UserError(
                f"{name}: {len(paths)} photos in {split}, expected {expected}. "
                f"Remove {unpacked} and run again."
            )
        for path in paths:
            target = folder / split / path.parent.name / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, target)
