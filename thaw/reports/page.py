"""report.html: one page on a run, in one file that needs no network."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import NamedTuple

from thaw.evaluation.advice import Advice
from thaw.evaluation.evaluation import Evaluation
from thaw.reports import html
from thaw.reports.facts import RunFacts
from thaw.reports.html import Shown
from thaw.reports.words import words

_TEMPLATE = Path(__file__).with_name("report.html")
_METRICS = ("roc", "precision_recall", "reliability", "feature_map")
_TITLES = (
    ("Class", "Photos")
    + ("Precision", "Recall", "F1", "ROC AUC")
    + ("Average precision",)
)


class Pictures(NamedTuple):
    """Pictures on the page.

    Attributes:
        charts: PNG files of `draw_figures`, by name.
        mistakes: The worst of them.
        doubtful: Photos that the model is least certain of.
        suspected: Photos whose labels may be wrong.
        cells: Photos of the confusion matrix, by (true label, predicted
            label).
    """

    charts: Mapping[str, bytes]
    mistakes: Sequence[Shown]
    doubtful: Sequence[Shown]
    suspected: Sequence[Shown]
    cells: Mapping[tuple[int, int], Sequence[Shown]]


def make_page(
    facts: RunFacts,
    evaluation: Evaluation,
    advice: Sequence[Advice],
    num_issues: int,
    pictures: Pictures,
) -> str:
    """Returns the page.

    Args:
        facts: Facts about the run.
        evaluation: Metrics of its predictions.
        advice: What to try next.
        num_issues: Number of suspected label errors.
        pictures: Charts and photos.
    """
    charts, said = pictures.charts, words(facts, evaluation)
    commands = [(f"{said['command']} {x.flags}", x.reason) for x in advice]
    names = list(evaluation.classes)
    hint, whole = "", ""
    if len(names) > html.MOST_CLASSES:
        hint = f"The {html.MOST_CLASSES} classes with the most mistakes."
        whole = html.charts([charts["confusion"]])
    return Template(_TEMPLATE.read_text("utf-8")).substitute(
        {name: html.text(value) for name, value in said.items()},
        advice=html.advice_list(commands),
        curves=html.charts(facts.curves),
        metrics=html.charts([charts[x] for x in _METRICS if x in charts]),
        classes=html.table(_class_rows(evaluation)),
        confusion_hint=hint,
        confusion=html.confusion_matrix(evaluation.confusion_matrix, names)
        + whole,
        mistakes=html.photo_grid(pictures.mistakes),
        doubtful=html.photo_grid(pictures.doubtful),
        num_issues=f"{num_issues:,}",
        suspected=html.photo_grid(pictures.suspected),
        data=html.pairs(_data(facts.summary)),
        class_counts=html.charts([charts["class_counts"]]),
        augmented=html.picture(facts.augmented, "As augmented for training:"),
        cells=html.cells_json(pictures.cells),
    )


def _class_rows(evaluation):
    yield _TITLES
    for name, (support, *values) in evaluation.classes.items():
        cells = ["" if x is None else f"{x:.3f}" for x in values]
        yield name, f"{support:,}", *cells


def _data(summary):
    rows = [
        (split.capitalize(), f"{sum(counts):,} photos in {len(counts)} classes")
        for split, counts in summary["class_counts"].items()
    ]
    quality = [(what, f"{x:,}") for what, x in summary["quality"].items()]
    return rows + (quality or [("Bad photos, duplicates", "none found")])
