"""report.html: one page on a run, in one file that needs no network."""

import base64
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from thaw.errors import list_some, valid_utf8
from thaw.evaluation.advice import Advice
from thaw.evaluation.evaluation import Evaluation
from thaw.evaluation.label_issues import LabelIssues
from thaw.reports.facts import RunFacts
from thaw.reports.photos import Shown, clickable_classes
from thaw.reports.templates import make_environment
from thaw.reports.words import words

_METRICS = ("roc", "precision_recall", "reliability", "feature_map")
_CLASSES_NAMED = 20  # of those that are not judged
# Every name on the page is text, never markup.
_TEMPLATES = make_environment(autoescape=True)


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
    issues: LabelIssues,
    pictures: Pictures,
) -> str:
    """Returns the page.

    Args:
        facts: Facts about the run.
        evaluation: Metrics of its predictions.
        advice: What to try next.
        issues: Suspected label errors.
        pictures: Charts and photos.
    """
    names, counts = list(evaluation.classes), evaluation.confusion_matrix
    clickable, charts = clickable_classes(counts), pictures.charts
    whole = [charts["confusion"]] if len(names) > len(clickable) else []
    page = _TEMPLATES.get_template("report.html.j2").render(
        words(facts, evaluation),
        advice=advice,
        augmented=facts.augmented,
        search=facts.summary.get("search"),
        thaw_curve=[facts.thaw_curve] if facts.thaw_curve else [],
        cells=_cells(pictures.cells),
        class_counts=facts.summary["class_counts"],
        classes=evaluation.classes,
        clickable=clickable,
        counts=counts,
        curves=facts.curves,
        metrics=_metric_charts(charts, evaluation),
        names=names,
        issues=issues,
        not_judged=list_some(issues.not_judged, _CLASSES_NAMED),
        pictures=pictures,
        quality=facts.summary["quality"],
        whole_matrix=whole,
    )
    return valid_utf8(page)


def _metric_charts(charts, evaluation):
    """Returns the charts that show something."""
    names = list(_METRICS)
    if evaluation.macro_roc_auc is None:  # all photos are of one class
        names = [x for x in names if x not in ("roc", "precision_recall")]
    return [charts[name] for name in names if name in charts]


def _cells(cells):
    """Returns photos by (true label, predicted label) for the page's script."""
    return {
        f"{true},{predicted}": [
            (
                "".join(base64.b64encode(x).decode() for x in photo.images[:1]),
                valid_utf8(photo.name),
                photo.caption,
            )
            for photo in photos
        ]
        for (true, predicted), photos in cells.items()
    }
