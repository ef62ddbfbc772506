"""What to try next: flags that the numbers of a run speak for."""

from collections.abc import Sequence
from typing import NamedTuple

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
        reason: Why, with the number.
    """

    flags: str
    reason: str


class Evidence(NamedTuple):
    """What advice is drawn from.

    Attributes:
        history: Rows of history.csv.
        kept: That of the kept epoch.
        train_counts: Photos of each class to train on, (C,).
        recalls: Recall of each class, (C,); None where it has no photos.
        num_photos: Photos that were looked at for wrong labels.
        num_suspected: Those whose label is suspected to be wrong.
        learning_rate: Of the fine-tune stage; None: it was found, or has none.
        epochs: Asked for, of the fine-tune stage.
        dropout: Of the head; None: the head was solved.
        is_mixed: Whether training photos were mixed, so that accuracy on them
            says little, and classes cannot be weighed.
        class_weights: Whether they were balanced.
        earlier: Where to unfreeze from to train more, or None.
        later: The same to train less, or None.
    """

    history: Sequence[dict]
    kept: dict
    train_counts: Sequence[int]
    recalls: Sequence[float | None]
    num_photos: int
    num_suspected: int
    learning_rate: float | None
    epochs: int
    dropout: float | None
    is_mixed: bool
    class_weights: bool
    earlier: str | None
    later: str | None


def advise(evidence: Evidence) -> list[Advice]:
    """Returns up to three things to try, what promises most first."""
    rules = (
        _look_at_labels,
        _calm_down,
        _fine_tune_less,
        _go_on,
        _weigh_classes,
        _hold_back,
        _fine_tune_more,
    )
    found = [rule(evidence) for rule in rules]
    return [advice for advice in found if advice is not None][:_MOST]


def _look_at_labels(evidence):
    share = evidence.num_suspected / evidence.num_photos
    if share < _SUSPECTED:
        return None
    return Advice(
        "",
        f"{evidence.num_suspected:,} of {evidence.num_photos:,} photos "
        f"({share:.1%}) look like another class than their label says "
        "(label_issues.csv). Look at them, correct those that are wrong, and "
        "run it again.",
    )


def _calm_down(evidence):
    losses = _losses(evidence, "fine_tune")
    jumps = [
        (after - before) / before
        for before, after in zip(losses, losses[1:], strict=False)
    ]
    if not jumps or max(jumps) < _JUMP or evidence.learning_rate is None:
        return None
    return Advice(
        f"--learning_rate={evidence.learning_rate / 3:.1g}",
        f"The validation loss is unstable: it jumps by up to {max(jumps):.0%} "
        "from one epoch to the next. A lower rate makes smaller steps.",
    )


def _fine_tune_less(evidence):
    of_head = _losses(evidence, "head")
    losses = _losses(evidence, "fine_tune")
    if not of_head or not losses:
        return None
    if min(losses) < (1 + _WORSE) * min(of_head):
        return None
    before = f"{min(of_head):.3f} with the head alone, {min(losses):.3f} after"
    if evidence.later is not None:
        return Advice(
            f"--unfreeze_from={evidence.later}",
            "Fine-tuning did not help: the lowest validation loss is "
            f"{before}. Unfreeze less.",
        )
    return Advice(
        "--learning_rate=find",
        f"Fine-tuning did not help: the lowest validation loss is {before}. "
        "Another rate may.",
    )


def _go_on(evidence):
    losses = _losses(evidence, evidence.kept["stage"])[-4:]
    is_last = evidence.kept is evidence.history[-1]
    if not is_last or len(losses) < 2:
        return None
    falls = 1 - (losses[-1] / losses[0]) ** (1 / (len(losses) - 1))
    if falls < _STILL_FALLING:
        return None
    flag = f"--epochs={2 * evidence.epochs}"
    if evidence.kept["stage"] == "head":
        flag = f"--head_epochs={2 * len(_losses(evidence, 'head'))}"
    return Advice(
        flag,
        f"The validation loss was still falling, by {falls:.1%} an epoch, when "
        "the run ended.",
    )


def _weigh_classes(evidence):
    if evidence.class_weights or evidence.is_mixed:
        return None
    known = [
        (count, recall)
        for count, recall in zip(
            evidence.train_counts, evidence.recalls, strict=True
        )
        if recall is not None
    ]
    if not known:
        return None
    smallest, recall = min(known)
    uneven = max(evidence.train_counts) / max(smallest, 1)
    mean = sum(recall for _, recall in known) / len(known)
    if uneven < _UNEVEN or recall >= mean:
        return None
    return Advice(
        "--class_weights=balanced",
        f"The largest class has {uneven:.1f} times the photos of the smallest, "
        f"of which only {recall:.1%} are found ({mean:.1%} on average).",
    )


def _hold_back(evidence):
    losses = _losses(evidence, "fine_tune")
    risen = losses[-1] / min(losses) - 1 if losses else 0
    gap = 0 if evidence.is_mixed else _gap(evidence)
    if evidence.dropout is None or (risen < _RISEN and gap < _GAP):
        return None
    if risen >= _RISEN:
        reason = (
            f"The validation loss rose by {risen:.0%} from its lowest to the "
            "end: the model learns the training photos by heart."
        )
    else:
        reason = (
            f"Training accuracy is {gap:.1%} over validation accuracy: the "
            "model learns the training photos by heart."
        )
    if evidence.dropout < 0.7:
        return Advice(f"--dropout={evidence.dropout + 0.2:.1g}", reason)
    return Advice("--label_smoothing=0.1", reason)


def _fine_tune_more(evidence):
    rows = [row for row in evidence.history if row["stage"] == "fine_tune"]
    if evidence.earlier is None or len(rows) < 6:
        return None
    # Means of three: one epoch alone is noise.
    before, after = (
        sum(row["loss"] for row in part) for part in (rows[-6:-3], rows[-3:])
    )
    falls = 1 - (after / before) ** (1 / 3) if before > 0 else 1
    if evidence.is_mixed or falls > _FLAT or _gap(evidence) > 0:
        return None
    if evidence.kept["val_accuracy"] > 0.99:
        return None
    speed = f"only falls by {falls:.1%} an epoch"
    if falls <= 0:
        speed = "no longer falls"
    return Advice(
        f"--unfreeze_from={evidence.earlier}",
        f"The training loss {speed}, and "
        "training is no better than validation: what trains may be too little "
        "to learn more.",
    )


def _gap(evidence):
    return evidence.kept["accuracy"] - evidence.kept["val_accuracy"]


def _losses(evidence, stage):
    """Returns the validation losses of a stage; none is 0, to divide by."""
    return [
        max(row["val_loss"], 1e-7)
        for row in evidence.history
        if row["stage"] == stage
    ]
