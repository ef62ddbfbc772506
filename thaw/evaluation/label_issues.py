"""Label issues: the suspected label errors of a run, however many photos."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from thaw.evaluation.label_noise import SuspectedLabel, find_suspected
from thaw.progress import Progress

MOST = 50_000  # photos judged at a time
_OF_CLASS = 100  # of them of a class, if it has as many


class LabelIssues(NamedTuple):
    """Result of a search for label errors.

    Attributes:
        rows: Rows of label_issues.csv, the most suspect first.
        not_judged: Names of the classes whose labels can't be judged: they
            have too few photos, or the classifier can't tell them apart.
    """

    rows: list[dict]
    not_judged: tuple[str, ...] = ()

    def to_dict(self) -> dict:
        """Returns their part of metrics.json."""
        return {
            "photos": len(self.rows),
            "expected_errors": self.expected_errors,
            "not_judged": list(self.not_judged),
        }

    @property
    def expected_errors(self) -> float | None:
        """Expected number of wrong labels among those listed.

        None in a run of an older Thaw.
        """
        values = [row["probability"] for row in self.rows]
        return None if None in values else round(sum(values), 2)


def find_label_issues(
    features: Any,
    labels: np.ndarray,
    paths: Sequence[str],
    splits: Sequence[str],
    class_names: Sequence[str],
    groups: np.ndarray | None = None,
) -> LabelIssues:
    """Returns the photos whose labels may be wrong.

    Args:
        features: Input of the head for each photo, float (N, D), or an object
            that has them by ascending rows.
        labels: int (N,).
        paths: (N,).
        splits: Of each photo, e.g. `train`, (N,).
        class_names: Names of the classes.
        groups: As in `find_suspected`.
    """
    suspected, not_judged = find_in_blocks(features, labels, groups)
    rows = [
        {
            "path": paths[found.row],
            "split": splits[found.row],
            "label": class_names[labels[found.row]],
            "suggested": class_names[found.suggested],
            "probability": round(found.probability, 4),
        }
        for found in suspected
    ]
    return LabelIssues(rows, tuple(class_names[x] for x in not_judged))


def find_in_blocks(
    features: Any,
    labels: np.ndarray,
    groups: np.ndarray | None = None,
    most: int = MOST,
) -> tuple[list[SuspectedLabel], list[int]]:
    """Returns what `find_suspected` does, of any number of photos.

    Many are judged in blocks, each by itself, so that a photo among a million
    takes the time and memory of one among 50,000. A class is judged if it is
    in one of them.

    Args:
        features: As in `find_label_issues`.
        labels, groups: As in `find_suspected`.
        most: Photos of a block, about.
    """
    progress = Progress(len(labels), "judged")
    progress(0)  # the next is many photos later
    found, judged, done = [], set(), 0
    for rows in deal_blocks(labels, most):
        suspected, not_judged = find_suspected(
            features[rows],
            labels[rows],
            None if groups is None else groups[rows],
            _of_block(progress, done, len(rows)),
        )
        found += [x._replace(row=int(rows[x.row])) for x in suspected]
        judged.update(np.setdiff1d(labels[rows], not_judged).tolist())
        done += len(rows)
    progress.clear()
    found.sort(key=lambda photo: -photo.probability)
    return found, sorted({*labels.tolist()} - judged)


def _of_block(progress, done, count):
    """Returns a function of the share of a block that is done."""
    return lambda share: progress(done + round(share * count))


def deal_blocks(labels: np.ndarray, most: int) -> list[np.ndarray]:
    """Returns the rows of each block, ascending; every row is in one.

    The classes have the same shares in all blocks, but for rare ones, which
    are in some only: of a few photos nothing could be learned.

    Args:
        labels: int (N,).
        most: Photos of a block, about.
    """
    num_blocks = -(-len(labels) // most)
    if num_blocks <= 1:
        return [np.arange(len(labels))]
    blocks, first = [[] for _ in range(num_blocks)], 0
    rng = np.random.default_rng(0)
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        count = min(max(len(rows) // _OF_CLASS, 1), num_blocks)
        for number, some in enumerate(np.array_split(rows, count), first):
            blocks[number % num_blocks].append(some)
        first += count
    return [np.sort(np.concatenate(parts)) for parts in blocks if parts]
