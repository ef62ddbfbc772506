import pytest

from thaw.evaluation.advice import Evidence, advise

CONFIG = {
    "learning_rate": 1e-5,
    "epochs": 3,
    "head": "dense",
    "dropout": 0.5,
    "mixup": False,
    "cutmix": False,
    "randaugment": False,
    "class_weights": "none",
}


def evidence(head_losses=(0.5, 0.4), fine_tune=(0.35, 0.345, 0.344), **changes):
    """A run that went well; `changes`, of options too, say what did not."""
    config = {name: changes.pop(name, value) for name, value in CONFIG.items()}
    history = [
        {"stage": stage, "loss": loss, "val_loss": loss, "accuracy": 0.9,
         "val_accuracy": 0.9}
        for stage, losses in (("head", head_losses), ("fine_tune", fine_tune))
        for loss in losses
    ]  # fmt: skip
    values = {
        "history": history,
        "kept": min(history, key=lambda row: row["val_loss"]),
        "train_counts": [100, 100],
        "recalls": [0.9, 0.9],
        "num_photos": 250,
        "num_suspected": 0,
        "expected_errors": 0.0,
        "config": config,
        "earlier": "block4_conv1",
    }
    return Evidence(**values | changes)


def flags_of(found):
    return [advice.flags for advice in advise(found)]


def test_a_run_that_went_well_gets_no_advice():
    assert flags_of(evidence()) == []


@pytest.mark.parametrize(
    "found, flags, number",
    [
        (
            evidence(yardstick_loss=0.3),
            "--head=linear --epochs=0",
            "validation loss of 0.300, this run 0.344",
        ),
        (
            evidence(yardstick_loss=0.3, mixup=True),
            "--head=linear --epochs=0 --nomixup",
            "as they are",
        ),
        (
            evidence(num_suspected=20, expected_errors=17.6),
            "",
            "20 of 250 photos (8.0%) are suspected of a wrong label, about 18",
        ),
        (
            evidence(fine_tune=(0.35, 0.6, 0.3, 0.299)),
            "--learning_rate=3e-06",
            "up to 71%",
        ),
        (
            evidence(fine_tune=(0.42, 0.43)),
            "--unfreeze_from=auto --budget=10m",
            "0.400 with the head alone, 0.420 after",
        ),
        (evidence(fine_tune=(0.4, 0.36, 0.324)), "--epochs=6", "10.0%"),
        (evidence(fine_tune=()), "--head_epochs=4", "20.0%"),
        (
            evidence(train_counts=[100, 20], recalls=[0.99, 0.6]),
            "--class_weights=balanced",
            "5.0 times",
        ),
        (
            evidence(fine_tune=(0.3, 0.32, 0.36)),
            "--dropout=0.7",
            "rose by 20%",
        ),
        (
            evidence(fine_tune=(0.3, 0.32, 0.36), dropout=0.8),
            "--label_smoothing=0.1",
            "rose by 20%",
        ),
        (
            evidence(fine_tune=(0.31, 0.3, 0.3, 0.3, 0.301, 0.302)),
            "--unfreeze_from=block4_conv1",
            "only falls by 0.3%",
        ),
    ],
)  # fmt: skip
def test_advice_follows_from_the_numbers(found, flags, number):
    advice = advise(found)
    assert advice[0].flags == flags
    assert number in advice[0].reason


def test_a_gap_between_training_and_validation():
    found = evidence()
    found.kept["accuracy"] = 0.99
    (advice,) = advise(found)
    assert advice.flags == "--dropout=0.7" and "9.0%" in advice.reason


def test_what_does_not_apply_is_not_said():
    uneven = {"train_counts": [100, 20], "recalls": [0.99, 0.6]}
    assert flags_of(evidence(**uneven, class_weights="balanced")) == []
    assert flags_of(evidence(train_counts=[100, 20])) == []
    unstable = evidence(fine_tune=(0.35, 0.6, 0.3, 0.299), learning_rate="find")
    assert flags_of(unstable) == ["--epochs=6"]


def test_noise_is_no_evidence():
    assert flags_of(evidence(fine_tune=(0.401, 0.402))) == []
    assert flags_of(evidence(fine_tune=(0.1, 0.0, 0.0))) != [None]  # no crash


def test_mixed_photos_and_a_solved_head_say_less():
    found = evidence(mixup=True, train_counts=[100, 20], recalls=[0.9, 0.5])
    found.kept["accuracy"] = 0.99
    assert flags_of(found) == []
    assert flags_of(evidence(fine_tune=(0.3, 0.32, 0.36), head="svm")) == []


def test_a_class_that_was_not_validated_says_nothing():
    uneven = {"train_counts": [100, 20], "recalls": [0.9, None]}
    assert flags_of(evidence(**uneven)) == []
    assert flags_of(evidence(train_counts=[9, 1], recalls=[None] * 2)) == []


def test_what_concerns_the_run_comes_before_the_labels():
    found = evidence(fine_tune=(0.42, 0.43), num_suspected=20)
    assert flags_of(found) == ["--unfreeze_from=auto --budget=10m", ""]


def test_label_issues_of_an_older_run_have_no_expected_share():
    (advice,) = advise(evidence(num_suspected=20, expected_errors=None))
    assert "suspected of a wrong label (label_issues.csv)" in advice.reason


def test_three_at_most():
    found = evidence(
        fine_tune=(0.42, 0.6, 0.43), num_suspected=20,
        train_counts=[100, 20], recalls=[0.99, 0.6],
    )  # fmt: skip
    assert len(advise(found)) == 3


@pytest.mark.parametrize(
    "losses", [(0.35, 0.6, 0.3, 0.31), (0.42, 0.43), (0.3,) * 6]
)
def test_what_was_searched_for_is_not_advised(losses):
    assert flags_of(evidence(fine_tune=losses))
    assert flags_of(evidence(fine_tune=losses, searched=True)) == []
