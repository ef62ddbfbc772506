"""Photos on the page: thumbnails, and galleries with heat maps."""

import io
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

import plots
from plots.style import short
from thaw.data import inspection_cache, pixels
from thaw.data.inspect import inspect_photos
from thaw.data.photos import Photos
from thaw.evaluation.predictions import Predictions
from thaw.inference.grad_cam import GradCam
from thaw.inference.predictor import Predictor
from thaw.pixel_range import PixelRange

_GALLERY = 12  # photos in each
_IN_CELL = 12  # photos of a cell of the confusion matrix
_IN_ALL_CELLS = 320
_MOST_CLASSES = 30  # in the matrix that can be clicked
_BYTES_OF_CELLS = 1_800_000  # of the 5 MB of the page, which holds it as text
_SUSPECTED = 24  # photos on the page
_PICTURE = 1100  # pixels, of a picture of photos
_LETTERS_OF_PHOTO = 22  # that are as wide as one, in the pictures
_SIDE, _QUALITY = 150, 82  # of the photos on the page, pixels and JPEG


class Shown(NamedTuple):
    """A photo on the page.

    Attributes:
        images: JPEG files, one or two beside each other; empty: the photo
            can't be read any more.
        caption: Its labels.
        name: Of its file.
    """

    images: Sequence[bytes]
    caption: str
    name: str


class GalleryPhoto(NamedTuple):
    """A photo of a gallery.

    Attributes:
        images: The photo and, if there is one, the same under its heat map,
            uint8 (H, W, 3) each.
        caption: Its true and predicted label.
        name: Of its file.
    """

    images: Sequence[np.ndarray]
    caption: str
    name: str

    def shown(self) -> Shown:
        """Returns the same for the page."""
        return Shown(list(map(jpeg, self.images)), self.caption, self.name)


def make_galleries(
    model, predictions: Predictions
) -> dict[str, list[GalleryPhoto]]:
    """Returns the worst mistakes and the least certain photos, by name.

    Args:
        model: Model of the run.
        predictions: Its predictions.
    """
    wrong = np.flatnonzero(predictions.predicted != predictions.labels)
    two = np.sort(predictions.probabilities, axis=1)[:, -2:]
    losses = np.argsort(predictions.of_label[wrong], kind="stable")
    rows_of = {
        "mistakes": wrong[losses][:_GALLERY],
        "doubtful": np.argsort(two[:, 1] - two[:, 0], kind="stable")[:_GALLERY],
    }
    rows = np.unique(np.concatenate(list(rows_of.values())))
    photos = inspect_photos(
        Photos.unlabelled([predictions.paths[row] for row in rows]),
        inspection_cache.default_memo(),
    )
    explain = _make_explainer(model)
    read = Predictor(model, pixel_ranges=predictions.pixel_ranges).read
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        images: list = [*pool.map(read, photos.paths, photos.inspections)]
    there = [i for i, image in enumerate(images) if not isinstance(image, str)]
    drawn = {}
    for start in range(0, len(there), _GALLERY):
        some = there[start : start + _GALLERY]
        raw = np.rint([images[i] for i in some]).clip(0, 255).astype("uint8")
        explained = explain(raw, predictions.predicted[rows[some]])
        for row, shown in zip(rows[some], explained, strict=True):
            name = _short_name(predictions.paths[row])
            drawn[row] = GalleryPhoto(shown, _caption(predictions, row), name)
    return {
        name: [drawn[row] for row in of_name if row in drawn]
        for name, of_name in rows_of.items()
    }


def _caption(predictions, row):
    label = predictions.class_names[predictions.labels[row]]
    predicted = predictions.class_names[predictions.predicted[row]]
    sure = f"{predicted} {predictions.probabilities[row].max():.2f}"
    if label == predicted:
        return f"{sure}, correct"
    return f"{label}, predicted {sure}"


def _make_explainer(model):
    """Returns a function of photos and classes: the images of each photo."""
    try:
        grad_cam = GradCam(model)
    except ValueError:  # no maps, as in a vision transformer: the photo alone
        return lambda photos, classes: [[photo] for photo in photos]
    return lambda photos, classes: [
        [photo, plots.overlay_heat(photo, heat)]
        for photo, heat in zip(photos, grad_cam(photos, classes), strict=True)
    ]


def draw_gallery(photos: Sequence[GalleryPhoto]):
    """Returns the figure of a gallery."""
    images, titles = [], []
    for photo in photos:
        images += photo.images
        letters = _LETTERS_OF_PHOTO * len(photo.images)
        titles += [short(photo.caption, letters)]
        titles += [""] * (len(photo.images) - 1)
    return plots.draw_photos(images, titles)


def clickable_classes(counts: np.ndarray) -> np.ndarray:
    """Returns the classes whose cells can be clicked: the most confused.

    Args:
        counts: Photos by true and predicted label, (C, C).
    """
    wrong = counts - np.diag(np.diag(counts))
    mistakes = wrong.sum(axis=0) + wrong.sum(axis=1)
    return np.sort(np.argsort(-mistakes, kind="stable")[:_MOST_CLASSES])


def show_cells(
    predictions: Predictions, counts: np.ndarray
) -> dict[tuple[int, int], list[Shown]]:
    """Returns photos of the cells of the confusion matrix, mistakes first.

    Args:
        predictions: Predictions.
        counts: Their confusion matrix, (C, C).
    """
    labels, predicted = predictions.labels, predictions.predicted
    clickable = set(clickable_classes(counts))
    rows_of = {}
    for row in np.argsort(labels != predicted, kind="stable")[::-1]:
        cell = (int(labels[row]), int(predicted[row]))
        if clickable.issuperset(cell):
            rows_of.setdefault(cell, []).append(row)
    # One of each cell, then two, and so on, until there are enough.
    chosen = [
        (cell, rows[depth])
        for depth in range(_IN_CELL)
        for cell, rows in rows_of.items()
        if depth < len(rows)
    ][:_IN_ALL_CELLS]
    thumbnails = _thumbnails(
        [predictions.paths[row] for _, row in chosen], predictions.pixel_ranges
    )
    cells, room = {}, _BYTES_OF_CELLS
    for (cell, row), images in zip(chosen, thumbnails, strict=True):
        room -= sum(map(len, images))
        if room < 0:
            break
        name = predictions.class_names[cell[1]]
        caption = f"{name} {predictions.probabilities[row].max():.2f}"
        shown = Shown(images, caption, _short_name(predictions.paths[row]))
        cells.setdefault(cell, []).append(shown)
    return cells


def show_suspected(
    issues: Sequence[dict], pixel_ranges: Mapping[str, PixelRange] | None
) -> list[Shown]:
    """Returns photos of the first rows of label_issues.csv.

    Args:
        issues: The rows.
        pixel_ranges: As in `pixels.decode`.
    """
    issues = issues[:_SUSPECTED]
    thumbnails = _thumbnails([issue["path"] for issue in issues], pixel_ranges)
    return [
        Shown(
            images,
            f"{issue['label']}? Looks like {issue['suggested']} "
            f"({issue['split']})",
            _short_name(issue["path"]),
        )
        for issue, images in zip(issues, thumbnails, strict=True)
    ]


def _short_name(path):
    """Returns the name of a photo, and that of its folder."""
    return "/".join(Path(path).parts[-2:])


def _thumbnails(paths, pixel_ranges):
    """Returns a list of one JPEG file for each photo, or of none if gone."""

    def read(path):
        try:
            return [jpeg(pixels.load_thumbnail(path, _SIDE, pixel_ranges))]
        except OSError:  # said on the page
            return []

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(read, paths))


def jpeg(image: np.ndarray, side: int = _SIDE) -> bytes:
    """Returns a JPEG file of pixels, uint8 (H, W, 3), made smaller."""
    photo = Image.fromarray(image)
    photo.thumbnail((side, side))
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def shrink_png(content: bytes) -> bytes:
    """Returns a PNG file of photos as JPEG, a tenth of its size."""
    with Image.open(io.BytesIO(content)) as image:
        return jpeg(np.asarray(image.convert("RGB")), _PICTURE)
