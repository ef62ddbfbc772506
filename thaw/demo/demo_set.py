"""The embedded demo set: drawn cats and dogs, saved as real JPEG files.

Everything is drawn from a seed, so the set is the same on every machine and
costs no download. It is for trying Thaw out, not for measuring it: for that
take real photos.
"""

from pathlib import Path

import numpy as np

from thaw.atomic import cached_folder
from thaw.demo import drawing, faces

CLASS_NAMES = ("cat", "dog")
PHOTOS_PER_CLASS = 500
VERSION = 1  # raise it when the drawing changes: older copies are left alone
_SEED = 20_26


def draw_cat(rng: np.random.Generator, pen: drawing.Pen) -> None:
    """Draws a cat: pointed ears, slit eyes, small nose, long whiskers."""
    fur = faces.random_fur(rng)
    ears = rng.choice(["pointed", "folded"], p=[0.85, 0.15])
    marks = rng.choice(["plain", "stripes", "patch", "mask", "blaze"])
    irises = [(120, 190, 80), (225, 190, 60), (110, 170, 215), (190, 130, 50)]
    faces.draw_ears(pen, rng, ears, fur, faces.PINK)
    faces.draw_head(pen, rng, fur, marks)
    eyes = rng.choice(["slit", "round", "closed"], p=[0.6, 0.28, 0.12])
    faces.draw_eyes(pen, rng, eyes, irises[rng.integers(4)])
    muzzle = drawing.shade(fur, rng.uniform(1.0, 1.35))
    for side in (-1, 1):
        pen.ellipse(side * 0.16, 0.4, 0.2, 0.16, muzzle)
    nose = faces.PINK if rng.random() < 0.6 else faces.INK
    pen.polygon([(-0.1, 0.2), (0.1, 0.2), (0, 0.32)], nose)
    faces.draw_mouth(pen, 0.4, 0.12)
    if rng.random() < 0.85:
        faces.draw_whiskers(pen, rng, rng.uniform(0.6, 1.05))


def draw_dog(rng: np.random.Generator, pen: drawing.Pen) -> None:
    """Draws a dog: floppy or pricked ears, long snout, large nose, tongue."""
    fur = faces.random_fur(rng)
    ears = rng.choice(["floppy", "pricked", "folded"], p=[0.62, 0.2, 0.18])
    marks = rng.choice(["plain", "spots", "patch", "mask", "blaze"])
    irises = [(110, 70, 35), (70, 45, 30), (150, 100, 50), (110, 170, 215)]
    if ears != "floppy":
        faces.draw_ears(pen, rng, ears, fur, faces.PINK)
    faces.draw_head(pen, rng, fur, marks)
    if ears == "floppy":
        faces.draw_ears(pen, rng, ears, fur, faces.PINK)
    eyes = rng.choice(["round", "closed"], p=[0.88, 0.12])
    faces.draw_eyes(pen, rng, eyes, irises[rng.integers(4)])
    muzzle = drawing.shade(fur, rng.uniform(0.8, 1.35))
    length = rng.uniform(0.36, 0.52)
    if rng.random() < 0.45:
        pen.ellipse(0.05, 0.3 + length * 1.2, 0.12, 0.28, (215, 90, 100))
    pen.ellipse(0, 0.25 + length * 0.5, 0.34, length, muzzle)
    pen.ellipse(0, 0.24, rng.uniform(0.15, 0.22), 0.13, faces.INK)
    pen.line([(0, 0.3), (0, 0.5)], faces.INK, 0.05)
    faces.draw_mouth(pen, 0.5, 0.14)
    if rng.random() < 0.2:
        faces.draw_whiskers(pen, rng, rng.uniform(0.15, 0.5))


def load_demo_set(cache_dir: str | Path) -> Path:
    """Returns the folder with the demo photos, drawing them the first time.

    Args:
        cache_dir: Folder to keep the photos in; made if missing.

    Returns:
        Path of a folder with one folder per class, `PHOTOS_PER_CLASS` JPEG
        files in each, 96 to 150 pixels a side.

    Raises:
        OSError: If `cache_dir` cannot be written.
    """
    return cached_folder(
        Path(cache_dir) / f"demo-{VERSION}",
        lambda folder: draw_demo_set(folder, PHOTOS_PER_CLASS),
    )


def draw_demo_set(
    folder: str | Path, photos_per_class: int, seed: int = _SEED
) -> None:
    """Draws `photos_per_class` JPEG files into each of the class folders."""
    for label, (name, draw) in enumerate(
        zip(CLASS_NAMES, (draw_cat, draw_dog), strict=True)
    ):
        class_folder = Path(folder) / name
        class_folder.mkdir(parents=True)
        for number in range(photos_per_class):
            rng = np.random.default_rng([seed, label, number])
            size = (int(rng.integers(96, 151)), int(rng.integers(96, 151)))
            photo = drawing.draw_photo(rng, draw, size)
            quality = int(rng.integers(60, 96))
            photo.save(class_folder / f"{number:04d}.jpg", quality=quality)
