"""What report.html says: words and numbers, from what a run left behind."""

import shlex
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from model_zoo.backbones import short_name
from thaw.evaluation.advice import Advice, Evidence, advise
from thaw.reports.report import Page


class RunFacts(NamedTuple):
    """What is known about a run.

    Attributes:
        name: Of its folder.
        path: Path of its folder.
        summary: Content of run.json.
        history: Rows of history.csv.
        curves: PNG files: accuracy, loss, learning rate.
        augmented: JPEG file of photos as they are trained on, or None.
        own_photos: Whether the photos are those it was validated on.
        earlier, later: Where to unfreeze from to train more or less, or None.
        evaluated: What the photos are, e.g. `validation photos`.
    """

    name: str
    path: str
    summary: dict
    history: Sequence[dict]
    curves: Sequence[bytes]
    augmented: bytes | None
    own_photos: bool
    earlier: str | None
    later: str | None
    evaluated: str


def neighbours(
    starts: Sequence[str], unfreeze_from: str, layers: Sequence[str]
) -> tuple[str | None, str | None]:
    """Returns where to unfreeze from to train more, and to train less.

    Args:
        starts: Of `model_zoo.unfreeze.block_starts`.
        unfreeze_from: Unfreeze point.
        layers: Names of all layers of the base, in order.
    """
    if unfreeze_from == "all" or not starts:
        return None, starts[1] if len(starts) > 1 else None
    if unfreeze_from == "none":
        return starts[-1], None
    place = layers.index(unfreeze_from)
    before = [name for name in starts if layers.index(name) < place]
    after = [name for name in starts if layers.index(name) > place]
    return before[-1] if before else "all", after[0] if after else "none"


def make_page(
    run: RunFacts,
    numbers: dict,
    judged,
    *,
    charts: Mapping[str, bytes],
    galleries: Mapping[str, Sequence],
    cells: Mapping,
    issues: Sequence[dict],
    suspected: Sequence,
) -> Page:
    """Returns the `Page` of an evaluation.

    Args:
        run: What is known about the run.
        numbers: Content of metrics.json.
        judged: `evaluation.Judged`.
        charts: PNG files by name.
        galleries: `Shown` photos by name.
        cells: Those of the confusion matrix.
        issues: Rows of label_issues.csv.
        suspected: The first of them.
    """
    advice = advise(_evidence(run, numbers, issues))
    return Page(
        title=f"{run.name}, {short_name(run.summary['backbone'])}",
        verdict=verdict(numbers, run.evaluated),
        tiles=_tiles(numbers, run),
        advice=[(_command(run, x), x.reason) for x in advice],
        curves=run.curves,
        numbers=[
            charts[name]
            for name in (
                "roc", "precision_recall", "reliability", "feature_map"
            )
            if name in charts
        ],
        confusion_picture=charts["confusion"],
        class_counts=charts["class_counts"],
        augmented=run.augmented,
        class_names=judged.class_names,
        confusion=np.array(numbers["confusion_matrix"]),
        cells=cells,
        class_rows=_class_rows(numbers),
        mistakes=galleries["mistakes"],
        doubtful=galleries["doubtful"],
        suspected=suspected,
        suspected_words=_suspected_words(issues, len(suspected)),
        frozen=_frozen(run.summary),
        data=_data(run.summary),
        how=_how(run.summary),
        command=_command(run, Advice("", "")),
    )  # fmt: skip


def verdict(numbers: dict, evaluated: str = "validation photos") -> str:
    """Returns one sentence on how good the model is."""
    low, high = numbers["accuracy_interval"]
    text = (
        f"It is right on {numbers['accuracy']:.1%} of {numbers['photos']:,} "
        f"{evaluated} (95% interval {low:.1%} to {high:.1%})"
    )
    if not numbers["most_confused"]:
        return f"{text}."
    right, predicted, count = numbers["most_confused"][0]
    of_class = numbers["classes"][right]["photos"]
    return (
        f"{text}; most often it takes {right} for {predicted} ({count:,} of "
        f"{of_class:,})."
    )


def _tiles(numbers, run):
    low, high = numbers["accuracy_interval"]
    lowest = min(
        (x for x in numbers["classes"].items() if x[1]["photos"]),
        key=lambda pair: pair[1]["recall"],
    )
    confidence = "mean gap between confidence and accuracy"
    if "calibration" in numbers:
        before, unseen = (
            numbers["calibration"][f"calibration_error_{when}"]
            for when in ("before", "after_unseen")
        )
        confidence = (
            f"{before:.3f} before it was calibrated; {unseen:.3f} on photos "
            "that the temperature was not fitted to"
        )
    tiles = [
        (
            f"{numbers['accuracy']:.1%}",
            "accuracy",
            f"{low:.1%} to {high:.1%}",
        ),
        (
            f"{numbers['balanced_accuracy']:.1%}",
            "balanced accuracy",
            f"lowest: {lowest[0]}, {lowest[1]['recall']:.1%}",
        ),
        (f"{numbers['log_loss']:.3f}", "log loss", "0 is perfect"),
        (f"{numbers['brier_score']:.3f}", "Brier score", "0 is perfect"),
        (
            f"{numbers['expected_calibration_error']:.3f}",
            "calibration error",
            confidence,
        ),
    ]
    if numbers["mean_roc_auc"] is not None:
        area = (f"{numbers['mean_roc_auc']:.3f}", "ROC-AUC", "mean of classes")
        tiles.insert(2, area)
    minutes, seconds = divmod(round(run.summary["seconds"]), 60)
    taken = f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
    tiles.append(
        (
            taken,
            "training time",
            f"{run.summary['epochs']} epochs, kept {run.summary['best_epoch']}",
        )
    )
    return tiles


def _evidence(run, numbers, issues):
    given = run.summary["flags"]
    try:
        rate = float(given["learning_rate"])
    except ValueError:  # find, or A:B
        rate = None
    kept = run.history[run.summary["best_epoch"] - 1]
    return Evidence(
        history=run.history,
        kept=kept,
        train_counts=run.summary["class_counts"]["train"],
        # Other photos say nothing about what was trained on.
        recalls=[
            x["recall"] if run.own_photos else None
            for x in numbers["classes"].values()
        ],
        num_photos=sum(map(sum, run.summary["class_counts"].values())),
        num_suspected=len(issues) if run.own_photos else 0,
        learning_rate=rate,
        epochs=given["epochs"],
        dropout=given["dropout"] if given["head"] == "dense" else None,
        is_mixed=bool(
            given["mixup"] or given["cutmix"] or given["randaugment"]
        ),
        class_weights=given["class_weights"] != "none",
        earlier=run.earlier,
        later=run.later,
    )


def _command(run, advice):
    flags_file = shlex.quote(f"{run.path}/flags.txt")
    return f"python train.py --flagfile={flags_file} {advice.flags}".rstrip()


def _class_rows(numbers):
    titles = ("precision", "recall", "f1", "roc_auc", "average_precision")
    words = ("Precision", "Recall", "F1", "ROC-AUC", "Average precision")
    rows = [("Class", "Photos", *words)]
    for name, of_class in numbers["classes"].items():
        cells = [
            "" if of_class[x] is None else f"{of_class[x]:.3f}" for x in titles
        ]
        rows.append((name, f"{of_class['photos']:,}", *cells))
    return rows


def _suspected_words(issues, num_shown):
    if not issues:
        return (
            "None: no photo looks more like another class than like its own, "
            "to a classifier that did not see it."
        )
    words = (
        f"{len(issues):,} photos look like another class than their label "
        "says, to a classifier that did not see them (confident learning, "
        "Northcutt et al. 2021). Look before you change anything; no label "
        "was changed. All are in label_issues.csv"
    )
    if num_shown < len(issues):
        words += f", the {num_shown} surest are here"
    return f"{words}."


def _frozen(summary):
    return [
        ("Proof", summary["freeze_proof"]["summary"]),
        ("Unfrozen from", summary["unfreeze_from"]),
        (
            "Trained",
            f"{summary['trainable_parameters']:,} parameters: "
            f"{', '.join(summary['trainable_layers'])}",
        ),
        (
            "Frozen",
            f"{summary['frozen_parameters']:,} parameters: "
            f"{', '.join(summary['frozen_layers']) or 'none'}",
        ),
    ]


def _data(summary):
    rows = [
        (side.capitalize(), f"{sum(counts):,} photos in {len(counts)} classes")
        for side, counts in summary["class_counts"].items()
    ]
    rows += [(what, f"{count:,}") for what, count in summary["found"].items()]
    if not summary["found"]:
        rows.append(("Bad photos, copies", "looked for, none found"))
    return rows


def _how(summary):
    versions = ", ".join(f"{x} {y}" for x, y in summary["versions"].items())
    return [
        ("Device", summary["device"]),
        ("Image size", f"{summary['image_size']} pixels a side"),
        ("Seed", str(summary["seed"])),
        ("Versions", versions),
    ]
