"""The pictures of an evaluation, and the photos on its page."""

import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn import metrics as sklearn_metrics
from sklearn.decomposition import PCA

import plots
from plots.style import short
from thaw.data import inspection_cache, pixels
from thaw.evaluation import metrics
from thaw.inference import predictor
from thaw.inference.grad_cam import GradCam
from thaw.reports.report import Shown, clickable_classes

_GALLERY = 12  # photos in each
_IN_CELL = 12  # photos of a cell of the confusion matrix
_IN_ALL_CELLS = 320
_BYTES_OF_CELLS = 1_800_000  # of the 5 MB of the page, which holds it as text
_SUSPECTED = 24  # photos on the page
_PICTURE = 1100  # pixels, of a picture of photos
_LETTERS_OF_PHOTO = 22  # that are as wide as one, in the pictures
_SIDE, _QUALITY = 150, 82  # of the photos on the page, pixels and JPEG


def draw_figures(judged, before, class_counts):
    """Returns figures by name.

    Args:
        judged: `evaluation.Judged`.
        before: The same before it was calibrated, or None.
        class_counts: Photos of each class by side.
    """
    names, labels = judged.class_names, judged.labels
    exact = judged.probabilities.astype("float64")
    counts = sklearn_metrics.confusion_matrix(
        labels, judged.predicted, labels=range(len(names))
    )
    rocs, precision_recalls = [], []
    for label in range(len(names)):
        is_label, scores = labels == label, exact[:, label]
        if is_label.all() or not is_label.any():
            rocs.append(None)
            precision_recalls.append(None)
            continue
        false, true, _ = sklearn_metrics.roc_curve(is_label, scores)
        area = sklearn_metrics.roc_auc_score(is_label, scores)
        rocs.append((false, true, area))
        precision, recall, _ = sklearn_metrics.precision_recall_curve(
            is_label, scores
        )
        area = sklearn_metrics.average_precision_score(is_label, scores)
        precision_recalls.append((recall, precision, area))
    reliability = metrics.reliability(labels, exact)
    if before is None:
        reliability_axes = plots.plot_reliability(*reliability)
    else:
        reliability_axes = plots.plot_reliability(
            *metrics.reliability(before.labels, before.probabilities),
            calibrated=reliability,
        )
    drawn = {
        "confusion": plots.plot_confusion(counts, names),
        "roc": plots.plot_roc(rocs, names),
        "precision_recall": plots.plot_precision_recall(
            precision_recalls, names
        ),
        "reliability": reliability_axes,
        "class_counts": plots.plot_class_counts(class_counts, names),
    }
    if min(judged.penultimate.shape) >= 2:
        components = PCA(2, random_state=0)
        points = components.fit_transform(judged.penultimate)
        drawn["feature_map"] = plots.plot_feature_map(
            points,
            labels,
            judged.predicted,
            names,
            shares=np.nan_to_num(components.explained_variance_ratio_),
        )
    return {name: ax.figure for name, ax in drawn.items()}


def find_galleries(model, judged):
    """Returns lists of ([photo, the same under its heat map], caption, path).

    Args:
        model: Model of the run.
        judged: `evaluation.Judged`.
    """
    sure = judged.probabilities.max(axis=1)
    own = judged.probabilities[np.arange(len(judged.labels)), judged.labels]
    two = np.sort(judged.probabilities, axis=1)[:, -2:]
    wrong = np.flatnonzero(judged.predicted != judged.labels)
    rows_of = {
        "mistakes": wrong[np.argsort(own[wrong], kind="stable")][:_GALLERY],
        "doubtful": np.argsort(two[:, 1] - two[:, 0], kind="stable")[:_GALLERY],
    }
    rows = np.unique(np.concatenate(list(rows_of.values())))
    checked = inspection_cache.check_contents(
        [judged.paths[row] for row in rows], inspection_cache.default_memo()
    )
    look = _make_look(model)
    drawn = {}
    for batch in predictor.Predictor(model, _GALLERY).predict(checked):
        of_batch = rows[batch.rows]
        photos = np.clip(np.rint(batch.images), 0, 255).astype("uint8")
        seen = look(photos, judged.predicted[of_batch])
        for row, images in zip(of_batch, seen, strict=True):
            right = judged.class_names[judged.labels[row]]
            taken = judged.class_names[judged.predicted[row]]
            name = f"{taken} {sure[row]:.2f}"
            caption = f"{right}, taken for {name}"
            if right == taken:
                caption = f"{name}, right"
            drawn[row] = (images, caption, _short(judged.paths[row]))
    return {
        name: [drawn[row] for row in of_name if row in drawn]
        for name, of_name in rows_of.items()
    }


def _make_look(model):
    """Returns a function of photos and classes: what to show of each photo."""
    try:
        look = GradCam(model)
    except ValueError:  # no maps, as in a vision transformer: the photo alone
        return lambda photos, classes: [[photo] for photo in photos]
    return lambda photos, classes: [
        [photo, plots.overlay_heat(photo, heat)]
        for photo, heat in zip(photos, look(photos, classes), strict=True)
    ]


def draw_gallery(photos):
    """Returns the figure of a gallery of `find_galleries`."""
    images, titles = [], []
    for of_photo, caption, _ in photos:
        images += of_photo
        letters = _LETTERS_OF_PHOTO * len(of_photo)
        titles += [short(caption, letters)] + [""] * (len(of_photo) - 1)
    return plots.plot_photos(images, titles)


def show_cells(judged, counts):
    """Returns photos of the cells of the confusion matrix, mistakes first."""
    clickable = set(clickable_classes(counts))
    rows_of = {}
    for row in np.argsort(judged.labels != judged.predicted, kind="stable")[
        ::-1
    ]:
        cell = (int(judged.labels[row]), int(judged.predicted[row]))
        if clickable.issuperset(cell):
            rows_of.setdefault(cell, []).append(row)
    # One of each cell, then two, and so on, until there are enough.
    rows_of = {cell: rows[:_IN_CELL] for cell, rows in rows_of.items()}
    deepest = max(map(len, rows_of.values()), default=0)
    chosen = [
        (cell, rows[depth])
        for depth in range(deepest)
        for cell, rows in rows_of.items()
        if depth < len(rows)
    ][:_IN_ALL_CELLS]
    photos = _thumbnails([judged.paths[row] for _, row in chosen])
    cells, room = {}, _BYTES_OF_CELLS
    for (cell, row), images in zip(chosen, photos, strict=True):
        room -= sum(map(len, images))
        if room < 0:
            break
        name = judged.class_names[cell[1]]
        caption = f"{name} {judged.probabilities[row].max():.2f}"
        shown = Shown(images, caption, _short(judged.paths[row]))
        cells.setdefault(cell, []).append(shown)
    return cells


def show_suspected(issues):
    """Returns `Shown` photos of the first rows of label_issues.csv."""
    shown = issues[:_SUSPECTED]
    photos = _thumbnails([issue["path"] for issue in shown])
    return [
        Shown(
            images,
            f"{issue['label']}? Looks like {issue['suggested']} "
            f"({issue['side']})",
            _short(issue["path"]),
        )
        for issue, images in zip(shown, photos, strict=True)
    ]


def _short(path):
    """Returns the name of a photo, and that of its folder."""
    return "/".join(Path(path).parts[-2:])


def _thumbnails(paths):
    """Returns a list of one JPEG file for each photo, or of none if gone."""

    def read(path):
        try:
            return [jpeg(pixels.load_thumbnail(path, _SIDE))]
        except OSError:  # said on the page
            return []

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(read, paths))


def jpeg(image, side=_SIDE):
    """Returns a JPEG file of pixels, uint8 (H, W, 3), made smaller."""
    photo = Image.fromarray(image)
    photo.thumbnail((side, side))
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def picture(path):
    """Returns a PNG file of photos as JPEG, a tenth of its size."""
    with Image.open(path) as image:
        return jpeg(np.asarray(image.convert("RGB")), _PICTURE)
