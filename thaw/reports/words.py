"""Words and numbers that the report and the model card of a run share."""

import shlex
from collections.abc import Mapping

from model_zoo.backbones import short_name
from thaw.evaluation.advice import LINEAR_HEAD_ALONE
from thaw.evaluation.evaluation import Evaluation
from thaw.reports.facts import RunFacts


def words(facts: RunFacts, evaluation: Evaluation) -> dict[str, str | None]:
    """Returns all that is said of a run and its metrics, by placeholder.

    None is what there is not to say.

    Args:
        facts: Facts about the run.
        evaluation: Its evaluation.
    """
    metrics = _words_of_metrics(evaluation)
    if facts.own_photos:
        metrics["verdict"] += compare_with_yardstick(facts.summary)
    return {
        "name": facts.name,
        "command": "python train.py --flagfile="
        + shlex.quote(f"{facts.path}/flags.txt"),
        **_words_of_run(facts.summary),
        **metrics,
    }


def compare_with_yardstick(summary: Mapping) -> str:
    """Returns a sentence, after a space, if a linear head alone does better.

    Args:
        summary: Content of run.json.
    """
    yardstick = _yardstick(summary)
    if not yardstick or summary["val_loss"] <= yardstick["val_loss"]:
        return ""
    return (
        " A linear head alone does better: validation loss "
        f"{yardstick['val_loss']:.3f}, this run {summary['val_loss']:.3f} "
        f"({LINEAR_HEAD_ALONE})."
    )


def _words_of_run(summary):
    counts = {x: summary[f"{x}_parameters"] for x in ("trainable", "frozen")}
    minutes, seconds = divmod(round(summary["seconds"]), 60)
    proof = summary["freeze_proof"]["summary"]
    versions = {"thaw": summary.get("thaw") or "", **summary["versions"]}
    return {
        "backbone": short_name(summary["backbone"]),
        "unfreeze_from": summary["unfreeze_from"],
        "freeze_proof": proof[:1].upper() + proof[1:],
        "trainable": f"{counts['trainable']:,}",
        "frozen": f"{counts['frozen']:,}",
        "total": f"{sum(counts.values()):,}",
        "trainable_layers": ", ".join(summary["trainable_layers"]),
        "frozen_layers": ", ".join(summary["frozen_layers"]) or "none",
        "time": f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s",
        "epochs": str(summary["epochs"]),
        "best_epoch": str(summary["best_epoch"]),
        "yardstick": _yardstick(summary),
        "device": summary["device"],
        "image_size": str(summary["image_size"]),
        "seed": str(summary["seed"]),
        "versions": ", ".join(f"{x} {y}" for x, y in versions.items() if y),
    }


def _yardstick(summary):
    """Returns what a linear head alone reaches, or None."""
    yardstick = summary.get("yardstick", {})
    return yardstick if {"val_loss", "val_accuracy"} <= {*yardstick} else None


def _words_of_metrics(evaluation):
    low, high = evaluation.accuracy_interval
    name, lowest = evaluation.lowest_recall
    area, top_5 = evaluation.macro_roc_auc, evaluation.top_5_accuracy
    gap = "mean gap between confidence and accuracy"
    if evaluation.calibration is not None:
        before, unseen = (
            evaluation.calibration[f"calibration_error_{when}"]
            for when in ("before", "after_unseen")
        )
        gap = (
            f"{before:.3f} before temperature scaling; {unseen:.3f} on photos "
            "that the temperature was not fitted to"
        )
    return {
        "verdict": evaluation.verdict,
        "support": f"{evaluation.support:,}",
        "accuracy": f"{evaluation.accuracy:.1%}",
        "top_5_accuracy": None if top_5 is None else f"{top_5:.1%}",
        "interval": f"{low * 100:.1f}-{high:.1%}",
        "balanced_accuracy": f"{evaluation.balanced_accuracy:.1%}",
        "lowest_recall": f"{name} ({lowest.recall:.1%} of "
        f"{lowest.support:,} photos)",
        "roc_auc": "\u2013" if area is None else f"{area:.3f}",
        "log_loss": f"{evaluation.log_loss:.3f}",
        "brier_score": f"{evaluation.brier_score:.3f}",
        "calibration_error": f"{evaluation.expected_calibration_error:.3f}",
        "calibration_note": gap,
    }
