"""Advice on what to try next: options that the numbers of a run suggest."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

# The command of the yardstick: what is solved without augmentation.
LINEAR_HEAD_ALONE = "--head=linear --epochs=0"
SEARCH = "--unfreeze_from=auto --budget=10m"
_MIXES = ("mixup", "cutmix", "randaugment")
_MOST = 3  # pieces of advice
_SUSPECTED = 0.01  # of all photos
_STILL_FALLING = 0.01  # of the loss, an epoch
_RISEN = 0.10  # of the lowest loss
_JUMP = 0.30  # of the loss, from one epoch to the next
_GAP = 0.05  # between training and validation accuracy
_UNEVEN = 3  # times the photos of the smallest class
_WORSE = 0.02  # of the loss, for fine-tuning to count as no help
_FLAT = 0.01  # of the training loss, an epoch


class Advice(NamedTuple):
    """One thing to try.

    Attributes:
        flags: For train.py, e.g. `--epochs=20`; empty: the same run again.
        reason: The number behind it, in words.
    """

    flags: str
    reason: str


class Evidence(NamedTuple):
    """Facts that advice is drawn from.

    Attributes:
        history: Rows of history.csv.
        kept: That of the kept epoch.
        train_counts: Photos of each class to train on, (C,).
        recalls: Recall of each class, (C,); None where it has no photos.
        num_photos: Photos that were searched for label errors.
        num_suspected: Those whose label is suspected to be wrong.
        expected_errors: How many of these are expected to be, or None.
        config: Options of the run, by name.
        earlier: Unfreeze point to train more, or None.
        yardstick_loss: Validation loss of a linear head alone, or None.
        searched: Whether unfreeze point and learning rate were searched for.
    """

    history: Sequence[dict]
    kept: dict
    train_counts: Sequence[int]
    recalls: Sequence[float | None]
    num_photos: int
    num_suspected: int
    expected_errors: float | None
    config: Mapping[str, Any]
    earlier: str | None
    yardstick_loss: float | None = None
    searched: bool = False

    @property
    def is_mixed(self) -> bool:
        """True if training photos were mixed or distorted.

        Then accuracy on them says little, and classes can't be weighed.
        """
        return any(self.config[name] for name in _MIXES)

    @property
    def gap(self) -> float:
        """Training accuracy over validation accuracy, in the kept epoch."""
        return self.kept["accuracy"] - self.kept["val_accuracy"]

    def losses(self, stage: str) -> list[float]:
        """Returns the validation losses of a stage, above 0 to divide by."""
        return [
            max(row["val_loss"], 1e-7)
            for row in self.history
            if row["stage"] == stage
        ]


def advise(evidence: Evidence) -> list[Advice]:
    """Returns up to three things to try, the most promising first."""
    rules = (
        _solve_head,
        _lower_learning_rate,
        _search,
        _train_longer,
        _weigh_classes,
        _regularize,
        _unfreeze_more,
        _check_labels,  # last: it concerns the photos, not the run
    )
    found = (advice for rule in rules for advice in rule(evidence))
    return list(itertools.islice(found, _MOST))


def _solve_head(evidence):
    known, loss = evidence.yardstick_loss, evidence.kept["val_loss"]
    if known is None or loss <= known:
        return
    names = [name for name in _MIXES if evidence.config[name]]
    yield Advice(
        " ".join([LINEAR_HEAD_ALONE, *(f"--no{name}" for name in names)]),
        "A linear head alone, solved on the photos as they are, has a "
        f"validation loss of {known:.3f}, this run {loss:.3f}.",
    )


def _lower_learning_rate(evidence):
    losses = evidence.losses("fine_tune")
    learning_rate = evidence.config["learning_rate"]
    jump = max((y / x - 1 for x, y in itertools.pairwise(losses)), default=0)
    if evidence.searched or learning_rate == "find":
        return
    if jump >= _JUMP:
        yield Advice(
            f"--learning_rate={learning_rate / 3:.1g}",
            f"The validation loss is unstable: it jumps by up to {jump:.0%} "
            "from one epoch to the next. A lower learning rate takes smaller "
            "steps.",
        )


def _search(evidence):
    of_head, losses = evidence.losses("head"), evidence.losses("fine_tune")
    if evidence.searched or not of_head or not losses:
        return
    if min(losses) >= (1 + _WORSE) * min(of_head):
        yield Advice(
            SEARCH,
            "Fine-tuning did not help: the lowest validation loss is "
            f"{min(of_head):.3f} with the head alone, {min(losses):.3f} after. "
            "Search for unfreeze point and learning rate.",
        )


def _train_longer(evidence):
    stage = evidence.kept["stage"]
    losses = evidence.losses(stage)[-4:]
    if evidence.kept is not evidence.history[-1] or len(losses) < 2:
        return
    flag = f"--epochs={2 * evidence.config['epochs']}"
    if stage == "head":
        flag = f"--head_epochs={2 * len(evidence.losses('head'))}"
    falls = 1 - (losses[-1] / losses[0]) ** (1 / (len(losses) - 1))
    if falls >= _STILL_FALLING:
        yield Advice(
            flag,
            f"The validation loss was still falling, by {falls:.1%} an epoch, "
            "when the run ended.",
        )


def _weigh_classes(evidence):
    counts = evidence.train_counts
    known = [
        (count, recall)
        for count, recall in zip(counts, evidence.recalls, strict=True)
        if recall is not None
    ]
    is_weighed = evidence.config["class_weights"] != "none"
    if is_weighed or evidence.is_mixed or not known:
        return
    smallest, recall = min(known)
    uneven = max(counts) / max(smallest, 1)
    mean = sum(recall for _, recall in known) / len(known)
    if uneven >= _UNEVEN and recall < mean:
        yield Advice(
            "--class_weights=balanced",
            f"The largest class has {uneven:.1f} times the photos of the "
            f"smallest, whose recall is only {recall:.1%} ({mean:.1%} on "
            "average).",
        )


def _regularize(evidence):
    losses = evidence.losses("fine_tune")
    risen = losses[-1] / min(losses) - 1 if losses else 0
    gap = 0 if evidence.is_mixed else evidence.gap
    if evidence.config["head"] != "dense" or (risen < _RISEN and gap < _GAP):
        return
    sign = f"Training accuracy is {gap:.1%} over validation accuracy"
    if risen >= _RISEN:
        sign = f"The validation loss rose by {risen:.0%} from its lowest"
    dropout, flag = evidence.config["dropout"], "--label_smoothing=0.1"
    if dropout < 0.7:
        flag = f"--dropout={dropout + 0.2:.1g}"
    yield Advice(flag, f"{sign}: the model overfits.")


def _unfreeze_more(evidence):
    losses = [
        row["loss"] for row in evidence.history if row["stage"] == "fine_tune"
    ]
    if evidence.searched or evidence.earlier is None or len(losses) < 6:
        return
    # Means of three: one epoch alone is noise.
    before, after = sum(losses[-6:-3]), sum(losses[-3:])
    falls = 1 - (after / before) ** (1 / 3) if before > 0 else 1
    if evidence.is_mixed or falls > _FLAT or evidence.gap > 0:
        return
    speed = "no longer falls"
    if falls > 0:
        speed = f"only falls by {falls:.1%} an epoch"
    if evidence.kept["val_accuracy"] <= 0.99:
        yield Advice(
            f"--unfreeze_from={evidence.earlier}",
            f"The training loss {speed}, and training is no better than "
            "validation: the model may underfit.",
        )


def _check_labels(evidence):
    share = evidence.num_suspected / evidence.num_photos
    if share < _SUSPECTED:
        return
    wrong = ""
    if evidence.expected_errors is not None:
        wrong = f", about {evidence.expected_errors:,.0f} of them rightly"
    yield Advice(
        "",
        f"{evidence.num_suspected:,} of {evidence.num_photos:,} photos "
        f"({share:.1%}) are suspected of a wrong label{wrong} "
        "(label_issues.csv). Check them, correct those that are wrong, and "
        "train again.",
    )
