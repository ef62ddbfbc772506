"""The evaluation of a run: numbers, pictures, report.html.

train.py writes one at the end of every run; evaluate.py of any photos.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from model_zoo.unfreeze import base_layers, block_starts
from thaw.errors import UserError
from thaw.evaluation import calibration, label_noise, metrics
from thaw.reports import figures as pictures
from thaw.reports import page as evaluate_page
from thaw.reports.report import Shown, build_report
from thaw.runs import reader

OWN_PHOTOS = "validation photos"
_CURVES = ("accuracy", "loss", "loss_by_step", "lr", "lr_find")
_TOP_LOSSES = 50  # in metrics.json
_SMALLEST = 1e-12  # probability; float32 has zeros


class Judged(NamedTuple):
    """Photos with labels, and what a model makes of them.

    Attributes:
        paths: (N,).
        labels: int (N,).
        probabilities: float (N, C).
        penultimate: What the last layer sees, float (N, P).
        logits: What goes into softmax, float (N, C).
        class_names: (C,).
    """

    paths: Sequence[str]
    labels: np.ndarray
    probabilities: np.ndarray
    penultimate: np.ndarray
    logits: np.ndarray
    class_names: Sequence[str]

    @property
    def predicted(self) -> np.ndarray:
        """The likeliest class of each, int (N,)."""
        return self.probabilities.argmax(axis=1)


class Calibrated(NamedTuple):
    """What calibration did.

    Attributes:
        before: Predictions as they were.
        temperature: By which their logits are divided.
        unseen: Probabilities at temperatures that other photos gave, (N, C).
    """

    before: Judged
    temperature: float
    unseen: np.ndarray


def suspected_labels(
    features: np.ndarray,
    labels: np.ndarray,
    paths: Sequence[str],
    sides: Sequence[str],
    class_names: Sequence[str],
) -> list[dict]:
    """Returns rows of label_issues.csv, the surest first.

    Args:
        features: What the head sees of each photo, float (N, D).
        labels: int (N,).
        paths: (N,).
        sides: `train` or `validation`, of each photo.
        class_names: Names of the classes.
    """
    return [
        {
            "path": paths[found.row],
            "side": sides[found.row],
            "label": class_names[labels[found.row]],
            "suggested": class_names[found.suggested],
            "margin": round(found.margin, 4),
        }
        for found in label_noise.find_suspected(features, labels)
    ]


def calibrate(judged: Judged) -> tuple[Judged, Calibrated]:
    """Returns predictions at the temperature that suits them best.

    Raises:
        UserError: If there is none.
    """
    temperature = calibration.fit_temperature(judged.labels, judged.logits)
    if temperature is None:
        raise UserError(
            "--calibrate: these photos do not say how sure the model may be "
            f"({(judged.predicted != judged.labels).sum()} of "
            f"{len(judged.labels)} are mistaken). The model stays as it is."
        )
    unseen = calibration.scale_unseen(judged.labels, judged.logits)
    scaled = calibration.scale(judged.logits, temperature)
    return (
        judged._replace(probabilities=scaled),
        Calibrated(judged, temperature, unseen),
    )


def load_facts(
    run_dir: str | Path, model, summary: dict, evaluated: str
) -> evaluate_page.RunFacts:
    """Returns what is known about a run that left a model.

    Args:
        run_dir: Run folder.
        model: Its model.
        summary: Content of run.json.
        evaluated: What the photos are, e.g. `validation photos`.

    Raises:
        UserError: If a file in it is damaged.
    """
    run_dir = Path(run_dir)
    files = [run_dir / f"{name}.png" for name in _CURVES]
    augmented = run_dir / "augmented.png"
    history = reader.load_history(run_dir)
    names = [layer.name for layer in base_layers(model)]
    if not 1 <= summary["best_epoch"] <= len(history) or summary[
        "unfreeze_from"
    ] not in [*names, "none", "all"]:
        raise UserError(
            f"{run_dir}: run.json, history.csv and model.keras are not of one "
            "run."
        )
    earlier, later = evaluate_page.neighbours(
        block_starts(model),
        summary["unfreeze_from"],
        names,
    )
    return evaluate_page.RunFacts(
        name=run_dir.resolve().name,
        path=str(run_dir),
        summary=summary,
        history=history,
        curves=[path.read_bytes() for path in files if path.exists()],
        augmented=pictures.picture(augmented) if augmented.exists() else None,
        own_photos=evaluated == OWN_PHOTOS,
        earlier=earlier,
        later=later,
        evaluated=evaluated,
    )


def write(
    folder,
    model,
    judged: Judged,
    issues: list[dict],
    run: evaluate_page.RunFacts,
    *,
    min_count: int = 1,
    calibrated: Calibrated | None = None,
) -> dict:
    """Writes metrics.json, predictions.csv, the pictures and report.html.

    Args:
        folder: `RunFolder` to write to.
        model: Model of the run, which draws where it looks.
        judged: Photos and predictions.
        issues: Of `suspected_labels`.
        run: What is known about the run.
        min_count: Photos from which on a pair of classes counts as confused.
        calibrated: How they were calibrated, or None.

    Returns:
        The content of metrics.json.
    """
    numbers = measure(judged, min_count, calibrated)
    folder.save_predictions(
        judged.paths, judged.labels, judged.probabilities, judged.class_names
    )
    folder.save_label_issues(issues)
    folder.save_metrics(numbers)
    figures = pictures.draw_figures(
        judged, calibrated and calibrated.before, run.summary["class_counts"]
    )
    for name, figure in figures.items():
        folder.save_figure(f"{name}.png", figure)
    galleries = pictures.find_galleries(model, judged)
    for name, photos in galleries.items():
        if photos:
            figure = pictures.draw_gallery(photos)
            folder.save_figure(f"{name}.png", figure, dpi=100)  # photos: large
        else:  # that of another time
            (folder.path / f"{name}.png").unlink(missing_ok=True)
    page = evaluate_page.make_page(
        run,
        numbers,
        judged,
        charts={
            name: (folder.path / f"{name}.png").read_bytes() for name in figures
        },
        galleries={
            name: [
                Shown([pictures.jpeg(x) for x in images], caption, path)
                for images, caption, path in photos
            ]
            for name, photos in galleries.items()
        },
        cells=pictures.show_cells(judged, numbers["confusion_matrix"]),
        issues=issues,
        suspected=pictures.show_suspected(issues),
    )
    folder.save_report(build_report(page))
    return numbers


def measure(
    judged: Judged,
    min_count: int = 1,
    calibrated: Calibrated | None = None,
) -> dict:
    """Returns the content of metrics.json; arguments as in `write`."""
    numbers = metrics.evaluate(
        judged.labels, judged.probabilities, judged.class_names
    )
    confused = metrics.most_confused(
        numbers["confusion_matrix"], judged.class_names
    )
    own = judged.probabilities[np.arange(len(judged.labels)), judged.labels]
    worst = np.argsort(own, kind="stable")[:_TOP_LOSSES]
    numbers["most_confused"] = [x for x in confused if x[2] >= min_count]
    numbers["top_losses"] = [
        {
            "path": judged.paths[row],
            "label": judged.class_names[judged.labels[row]],
            "predicted": judged.class_names[judged.predicted[row]],
            "loss": float(-np.log(max(own[row], _SMALLEST))),
        }
        for row in worst
    ]
    if calibrated is not None:
        numbers["calibration"] = {"temperature": calibrated.temperature}
        for when, probabilities in (
            ("before", calibrated.before.probabilities),
            ("after_unseen", calibrated.unseen),
        ):
            for function in (metrics.calibration_error, metrics.log_loss):
                numbers["calibration"][f"{function.__name__}_{when}"] = (
                    function(judged.labels, probabilities)
                )
    return numbers
