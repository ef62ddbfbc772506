"""The report on a run: metrics.json, predictions.csv, pictures, report.html."""

import dataclasses
from collections.abc import Sequence

import keras

from model_zoo.unfreeze import base_layers, block_starts
from thaw.errors import UserError
from thaw.evaluation.advice import Evidence, advise
from thaw.evaluation.calibration import Calibrated
from thaw.evaluation.evaluation import VALIDATION_PHOTOS, Evaluation, evaluate
from thaw.evaluation.label_issues import LabelIssues
from thaw.evaluation.predictions import Predictions
from thaw.reports.facts import RunFacts
from thaw.reports.figures import draw_figures
from thaw.reports.page import Pictures, make_page
from thaw.reports.photos import (
    draw_gallery,
    make_galleries,
    show_cells,
    show_suspected,
)
from thaw.runs.writer import RunFolder


def write_report(
    folder: RunFolder,
    model: keras.Model,
    predictions: Predictions,
    issues: LabelIssues,
    facts: RunFacts,
    *,
    min_count: int = 1,
    calibrated: Calibrated | None = None,
) -> Evaluation:
    """Evaluates predictions, and writes all files that say how good they are.

    These are those of `write_metrics`, and report.html.

    Args:
        folder, model, predictions, issues, min_count, calibrated: As in
            `write_metrics`.
        facts: Facts about the run.

    Raises:
        UserError: If model and facts belong to different runs.
    """
    check_one_run(facts, model)
    evaluation, pictures = write_metrics(
        folder,
        model,
        predictions,
        issues,
        facts.summary["class_counts"],
        min_count=min_count,
        calibrated=calibrated,
        photos=facts.photos,
    )
    return write_page(folder, model, issues, facts, evaluation, pictures)


def write_metrics(
    folder: RunFolder,
    model: keras.Model,
    predictions: Predictions,
    issues: LabelIssues,
    class_counts: dict[str, list[int]],
    *,
    min_count: int = 1,
    calibrated: Calibrated | None = None,
    photos: str = VALIDATION_PHOTOS,
) -> tuple[Evaluation, Pictures]:
    """Evaluates predictions, and writes and returns what comes of it.

    The files are metrics.json, predictions.csv, label_issues.csv and the
    pictures.

    Args:
        folder: Folder to write to, not always that of the run.
        model: Model of the run, for heat maps.
        predictions: Its predictions.
        issues: Suspected label errors.
        class_counts: Photos of each class by split.
        min_count: Photos from which on a pair of classes counts as confused.
        calibrated: Calibration of the predictions, or None.
        photos: A noun for the photos.
    """
    evaluation = evaluate(
        predictions, min_count=min_count, calibrated=calibrated, photos=photos
    )
    folder.save_predictions(
        predictions.paths,
        predictions.labels,
        predictions.probabilities,
        predictions.class_names,
    )
    folder.save_label_issues(issues.rows)
    folder.save_metrics(
        evaluation.to_dict() | {"label_issues": issues.to_dict()}
    )
    figures = draw_figures(predictions, evaluation, calibrated, class_counts)
    galleries = make_galleries(model, predictions)
    _save_galleries(folder, galleries)
    pictures = Pictures(
        charts={
            name: folder.save_figure(f"{name}.png", figure)
            for name, figure in figures.items()
        },
        suspected=show_suspected(issues.rows, predictions.pixel_ranges),
        cells=show_cells(predictions, evaluation.confusion_matrix),
        **{
            name: [photo.shown() for photo in gallery]
            for name, gallery in galleries.items()
        },
    )
    return evaluation, pictures


def write_page(
    folder: RunFolder,
    model: keras.Model,
    issues: LabelIssues,
    facts: RunFacts,
    evaluation: Evaluation,
    pictures: Pictures,
) -> Evaluation:
    """Writes report.html; returns the evaluation with the path of it.

    Args:
        folder, model, issues: As in `write_metrics`.
        facts: Facts about the run.
        evaluation, pictures: Of `write_metrics`.
    """
    advice = advise(_evidence(facts, evaluation, model, issues))
    page = make_page(facts, evaluation, advice, issues, pictures)
    folder.save_report(page)
    return dataclasses.replace(evaluation, path=folder.path / "report.html")


def check_one_run(facts: RunFacts, model: keras.Model) -> None:
    """Raises a `UserError` if run.json, history.csv and model don't fit."""
    names = [layer.name for layer in base_layers(model)]
    if not 1 <= facts.summary["best_epoch"] <= len(facts.history) or (
        facts.summary["unfreeze_from"] not in [*names, "none", "all"]
    ):
        raise UserError(
            f"{facts.path}: run.json, history.csv and model.keras belong to "
            "different runs."
        )


def earlier_start(
    starts: Sequence[str], unfreeze_from: str, layers: Sequence[str]
) -> str | None:
    """Returns the next unfreeze point that trains more, or None.

    Args:
        starts: Of `model_zoo.unfreeze.block_starts`.
        unfreeze_from: Unfreeze point.
        layers: Names of all layers of the base, in order.
    """
    if unfreeze_from == "all" or not starts:
        return None
    if unfreeze_from == "none":
        return starts[-1]
    place = layers.index(unfreeze_from)
    before = [name for name in starts if layers.index(name) < place]
    return before[-1] if before else "all"


def _save_galleries(folder, galleries):
    for name, gallery in galleries.items():
        if gallery:
            figure = draw_gallery(gallery)
            folder.save_figure(f"{name}.png", figure, dpi=100)  # photos: large
        else:  # that of another time
            (folder.path / f"{name}.png").unlink(missing_ok=True)


def _evidence(facts, evaluation, model, issues):
    summary = facts.summary
    earlier = earlier_start(
        block_starts(model),
        summary["unfreeze_from"],
        [layer.name for layer in base_layers(model)],
    )
    return Evidence(
        history=facts.history,
        kept=facts.history[summary["best_epoch"] - 1],
        train_counts=summary["class_counts"]["train"],
        # Other photos say nothing about those it was trained on.
        recalls=[
            x.recall if facts.own_photos else None
            for x in evaluation.classes.values()
        ],
        num_photos=sum(map(sum, summary["class_counts"].values())),
        num_suspected=len(issues.rows) if facts.own_photos else 0,
        expected_errors=issues.expected_errors,
        config=summary["config"],
        earlier=earlier,
        yardstick_loss=summary.get("yardstick", {}).get("val_loss")
        if facts.own_photos
        else None,
        searched=bool(summary.get("search")),
    )
