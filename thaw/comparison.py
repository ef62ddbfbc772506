"""Comparison of runs: results, options that differ, differences and noise."""

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from thaw.errors import UserError, shown, valid_utf8
from thaw.evaluation.bootstrap import Difference, paired_difference
from thaw.evaluation.compared_run import ComparedRun, load_compared_run
from thaw.evaluation.shared_photos import shared_scores
from thaw.progress import warn
from thaw.tables import format_table

_TITLES = ("run", "kept epoch", "val accuracy", "val loss", "seconds", "")


class RunDifference(NamedTuple):
    """Differences of a run from the best one, on the photos that both have.

    Attributes:
        shared: Number of these photos.
        photos: Number of photos of the run with more.
        accuracy: Accuracy of the run minus that of the best one.
        log_loss: The same of the log loss.
    """

    shared: int
    photos: int
    accuracy: Difference
    log_loss: Difference


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Runs beside each other; as text, the tables of compare.py.

    Attributes:
        runs: The runs, the best first.
    """

    runs: tuple[ComparedRun, ...]

    @functools.cached_property
    def differences(self) -> dict[str, RunDifference | str]:
        """By name, the difference of each run from the best one.

        A text says why there is none. Runs without predictions.csv are left
        out.
        """
        runs, found = [run for run in self.runs if run.predictions], {}
        for run in runs[1:]:
            try:
                found[run.name] = _difference(runs[0], run)
            except UserError as error:
                found[run.name] = str(error)
        return found

    def plot(self):
        """Returns a figure with the validation curves of all runs."""
        import plots

        histories = {
            valid_utf8(run.name): {
                key: [row[key] for row in run.history]
                for key in ("val_loss", "val_accuracy")
            }
            for run in self.runs
        }
        return plots.draw_comparison(histories)

    def __str__(self):
        parts = self._results(), self._flags(), self._noise()
        return "\n\n".join(filter(None, parts))

    def _results(self):
        rows = [_TITLES]
        for run in self.runs:
            cells = ("none", "", "")
            if run.best is not None:
                cells = (
                    f"{run.best['epoch']:.0f} of {len(run.history)}",
                    f"{run.best['val_accuracy']:.4f}",
                    f"{run.best['val_loss']:.4f}",
                )
            ended = "" if run.finished else "has not ended"
            rows.append((run.name, *cells, f"{run.seconds:.0f}", ended))
        top_5 = [run.top_5_accuracy for run in self.runs]
        if any(top_5):
            cells = ["" if x is None else f"{x:.4f}" for x in top_5]
            rows = [
                (*row[:3], cell, *row[3:])
                for row, cell in zip(
                    rows, ["top-5 accuracy", *cells], strict=True
                )
            ]
        return format_table(rows)

    def _flags(self):
        common = set.intersection(*(set(run.flags) for run in self.runs))
        own = [[x for x in run.flags if x not in common] for run in self.runs]
        if not any(own):
            return "All have the same flags"
        rows = [("run", "flags that differ (others have the default)")]
        for run, lines in zip(self.runs, own, strict=True):
            rows.append((run.name, " ".join(lines)))
        return format_table(rows)

    def _noise(self):
        lines, rows = [], [("run", "photos", "accuracy", "log loss")]
        for name in [run.name for run in self.runs if not run.predictions]:
            lines.append(f"{name} has no predictions.csv to compare")
        for name, found in self.differences.items():
            if isinstance(found, str):
                lines.append(f"{name} cannot be compared: {found}")
                continue
            photos = f"{found.shared:,}"
            if found.shared < found.photos:
                photos += f" of {found.photos:,}"
            rows.append((name, photos, *map(_cell, found[-2:])))
        if len(rows) > 1:
            best = next(run.name for run in self.runs if run.predictions)
            lines += [
                f"Less {best}, on the validation photos that both have:\n",
                format_table(rows),
            ]
        return "\n".join(lines)


def compare(*runs) -> Comparison:
    """Compares runs: which one is better, and which differences are noise.

    Accuracy and log loss on the validation photos are compared with the best
    run's by a paired bootstrap. A difference is within noise if its 95%
    interval holds 0: other photos of the same kind might have shown none.

    Args:
        *runs: Two or more `thaw.Run` or paths of run folders. Paths that lie
            beside run folders and are none are skipped.

    Returns:
        The `Comparison`; `print` it, or `plot` it.

    Raises:
        UserError: If one is missing or damaged, or there are less than two.

    Example:

    ```python
    import thaw

    comparison = thaw.compare("runs/first", "runs/second")
    print(comparison)
    comparison.plot().savefig("compare.png")
    ```
    """
    paths = [str(getattr(run, "path", run)) for run in runs]
    found = [load_compared_run(name, path) for name, path in _find_runs(paths)]
    return Comparison(tuple(sorted(found, key=ComparedRun.rank)))


def _find_runs(arguments: Sequence[str]) -> list[tuple[str, Path]]:
    """Returns names and paths of the run folders, each folder once.

    Besides runs, runs/* holds pictures of compare.py and the like.
    """
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
                "Expected folders written by train.py, with at least one "
                "epoch."
            )
        warn(f"Skipped, not a run: {shown(path)}")
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


def _difference(best, other):
    scores = shared_scores(best.predictions, other.predictions)
    shared = scores[0].shape[1]
    if shared < 2:  # of one, nothing is known of the noise
        raise UserError(f"{shared} of its validation photos are the best's")
    photos = max(len(run.predictions.paths) for run in (best, other))
    differences = (
        paired_difference(of_other, of_best) for of_best, of_other in scores
    )
    return RunDifference(shared, photos, *differences)


def _cell(difference):
    noise = "within noise" if difference.within_noise else "more than noise"
    return "{:+.4f} ({:+.4f} to {:+.4f}), {}".format(*difference, noise)
