"""Draws runs over each other, and says which differences are only noise.

    python compare.py runs/first runs/second ...
    python compare.py runs/*

The picture has the validation accuracy and loss of every run; the table what
came out, the best run first, and in which flags they differ. Accuracy and log
loss on the validation photos are compared with the best run's by a paired
bootstrap: a difference is within noise if its 95% interval holds 0, that is if
other photos of the same kind might as well have shown none. (Another --seed
moves the numbers of a run, too; this does not say how far.)
"""

import math
import os
import sys
from pathlib import Path
from typing import NamedTuple

from absl import flags

from model_zoo.listing import format_table
from thaw.cli import app
from thaw.errors import UserError

app.section("Flags")
_OUTPUT = flags.DEFINE_string(
    "output",
    "runs/compare.png",
    "File of the picture, .png, .pdf or .svg; it may exist.",
)


class Run(NamedTuple):
    """One run, read from its folder.

    Attributes:
        name: What it is called here.
        history: Rows of its epochs.
        kept: The row of the kept epoch, None where no loss is a number.
        seconds: What it took.
        ended: Whether it has ended.
        flags: Lines of its flags.txt.
        predictions: `Predictions` of its validation photos, or None.
    """

    name: str
    history: list
    kept: dict | None
    seconds: float
    ended: bool
    flags: list
    predictions: object


def main(argv):
    output = Path(_OUTPUT.value)
    if output.suffix not in (".png", ".pdf", ".svg"):
        raise UserError(
            "--output: expected the name of a .png, .pdf or .svg file. "
            f"Received: {output}"
        )
    runs = [load_run(name, path) for name, path in find_runs(argv[1:])]
    runs.sort(key=_rank)
    print(f"{results_table(runs)}\n")
    print(f"{describe_flags(runs)}\n")
    print(describe_noise(runs))
    draw(runs, output)
    print(f"Drawn in {output}")
    return 0


def find_runs(arguments: list[str]) -> list[tuple[str, Path]]:
    """Returns names and paths of the run folders, each folder once.

    What a shell makes of runs/* is more than runs: this script's picture, the
    doctor's folder, a run that was stopped in its first epoch. So what lies
    beside the others and is none is passed over.

    Raises:
        UserError: If anything is missing, or no run, or there are not two.
    """
    from thaw.data.files import shown

    found, others = {}, []
    for argument in arguments:
        path = Path(argument)
        if not path.exists():
            raise UserError(f"There is no {shown(path)}. Expected run folders.")
        if (path / "history.csv").is_file():
            # runs/latest is one of the others.
            found.setdefault(path.resolve(), argument)
        else:
            others.append(path)
    beside = {path.parent for path in found} if len(found) > 1 else set()
    for path in others:
        if path.resolve().parent not in beside:
            raise UserError(
                f"{shown(path)} is not a run folder: it has no history.csv. "
                "Expected folders that train.py wrote, with an epoch at least."
            )
        print(f"Passed over, no run: {shown(path)}", file=sys.stderr)
    if len(found) < 2:
        raise UserError(
            "Expected two different run folders or more, e.g. python "
            "compare.py runs/*"
        )
    names = [path.name for path in found]
    return [
        (shown(path.name if names.count(path.name) == 1 else argument), path)
        for path, argument in found.items()
    ]


def load_run(name: str, path: Path) -> Run:
    """Returns a run, read from its folder.

    Raises:
        UserError: If a file is damaged.
    """
    from thaw.runs import reader

    history = reader.load_history(path)
    if not history:
        raise UserError(f"{path / 'history.csv'} has no epoch.")
    summary = reader.load_summary(path)
    rows = [row for row in history if math.isfinite(row["val_loss"])]
    return Run(
        name,
        history,
        min(rows, key=lambda row: row["val_loss"], default=None),
        summary["seconds"] if summary else sum(x["seconds"] for x in history),
        summary is not None,
        reader.load_flags(path),
        reader.load_predictions(path),
    )


def _rank(run):
    """Sorts the best run first."""
    if run.kept is None:
        return 1, 0, 0
    return 0, -run.kept["val_accuracy"], run.kept["val_loss"]


def results_table(runs: list[Run]) -> str:
    """Returns what came out of each run as a table."""
    rows = [("run", "kept epoch", "val accuracy", "val loss", "seconds", "")]
    for run in runs:
        numbers = ("none", "", "")
        if run.kept is not None:
            numbers = (
                f"{run.kept['epoch']:.0f} of {len(run.history)}",
                f"{run.kept['val_accuracy']:.4f}",
                f"{run.kept['val_loss']:.4f}",
            )
        ended = "" if run.ended else "has not ended"
        rows.append((run.name, *numbers, f"{run.seconds:.0f}", ended))
    return format_table(rows)


def describe_flags(runs: list[Run]) -> str:
    """Returns a line per run with the flags that not all of them share."""
    shared = set.intersection(*(set(run.flags) for run in runs))
    own = [[x for x in run.flags if x not in shared] for run in runs]
    if not any(own):
        return "All have the same flags"
    rows = [("run", "flags that differ; left out: the default")]
    for run, lines in zip(runs, own, strict=True):
        rows.append((run.name, " ".join(lines)))
    return format_table(rows)


def describe_noise(runs: list[Run]) -> str:
    """Returns which differences from the best run are noise, and which not."""
    lines = [
        f"{run.name} has no predictions.csv and is not compared photo by photo"
        for run in runs
        if run.predictions is None
    ]
    runs = [run for run in runs if run.predictions is not None]
    if len(runs) < 2:
        return "\n".join(lines)
    best, *others = runs
    rows = [("run", "photos", "accuracy", "log loss")]
    for run in others:
        try:
            row = noise_row(best.predictions, run.predictions)
        except UserError as error:
            lines.append(f"{run.name} cannot be compared: {error}")
        else:
            rows.append((run.name, *row))
    if len(rows) > 1:
        lines += [
            f"Less {best.name}, on the validation photos that both have:\n",
            format_table(rows),
        ]
    return "\n".join(lines)


def noise_row(best, other) -> tuple[str, str, str]:
    """Returns how many photos two models share, and how they differ on them.

    Args:
        best: `Predictions` of the run to compare with.
        other: The same of the run to compare.

    Raises:
        UserError: If they share no photo, or not the classes.
    """
    from thaw.evaluation.bootstrap import paired_difference
    from thaw.evaluation.shared_photos import shared_scores

    scores = shared_scores(best, other)
    shared = scores[0].shape[1]
    if not shared:
        raise UserError("none of its validation photos is one of the best's")
    of = max(len(best.paths), len(other.paths))
    cells = [f"{shared:,}" if shared == of else f"{shared:,} of {of:,}"]
    for of_best, of_other in scores:
        found = paired_difference(of_other, of_best)
        verdict = "within noise" if found.within_noise else "more than noise"
        cells.append(
            f"{found.mean:+.4f} ({found.low:+.4f} to {found.high:+.4f}), "
            f"{verdict}"
        )
    return tuple(cells)


def draw(runs: list[Run], output: Path) -> None:
    """Draws accuracy and loss of all runs."""
    import plots

    histories = {
        # What is no UTF-8 cannot be drawn.
        os.fsencode(run.name).decode("utf-8", "replace"): {
            key: [row[key] for row in run.history]
            for key in ("val_loss", "val_accuracy")
        }
        for run in runs
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    plots.plot_comparison(histories).savefig(output, dpi=150)


if __name__ == "__main__":
    app.run(main)
