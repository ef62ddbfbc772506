import math

from benchmarks import time_to_loss
from benchmarks.process import Usage


def result(*epochs):
    ends, losses, accuracies = zip(*epochs, strict=True)
    return {
        "epoch_ends": ends,
        "val_loss": losses,
        "val_accuracy": accuracies,
        "epoch_seconds": 2.0,
        "memory": 1.5,
    }


THAW = result((10, 0.5, 0.6), (11, 0.2, 0.7), (12, 0.3, 0.7), (13, 0.1, 0.9))
CLASSIC = result((40, 0.25, 0.7), (80, 0.15, 0.8), (120, 0.4, 0.9))


def test_a_loss_counts_from_when_it_stays():
    assert time_to_loss.seconds_to(0.5, THAW) == 10
    assert time_to_loss.seconds_to(0.2, THAW) == 13
    assert time_to_loss.seconds_to(0.09, THAW) == math.inf


def test_the_table_compares_times_to_the_best_of_classic(capsys):
    results = {"classic": [CLASSIC], "thaw": [THAW]}
    time_to_loss.print_table(results, 0.1)
    printed = capsys.readouterr().out
    assert "validation loss classic's best, by seed: [0.15]" in printed
    *_, classic, thaw = printed.splitlines()
    # Its own best is reached once, and not for good.
    assert "| 80.0 (6.2 x) | not reached | 120.0 (9.2 x) | 0.800 |" in classic
    assert "| 13.0 (1.0 x) | 13.0 (1.0 x) | 13.0 (1.0 x) | 0.900 |" in thaw


def test_nothing_is_compared_to_a_time_that_there_is_not(capsys):
    results = {"classic": [CLASSIC], "thaw": [THAW]}
    time_to_loss.print_table(results, 0.3)
    assert "| 80.0 (6.2 x) | not reached |" in capsys.readouterr().out
    results = {"classic": [THAW], "thaw": [CLASSIC]}
    time_to_loss.print_table(results)
    *_, classic, thaw = capsys.readouterr().out.splitlines()
    assert "| classic | 2.0 (1.0 x) | 13.0 | 13.0" in classic
    assert "| thaw | 2.0 (1.0 x) | not reached |" in thaw


def test_lines_with_a_loss_are_ends_of_epochs():
    lines = [(1.0, "Epoch 1"), (4.04, "val_loss: 0.5"), (6.0, "val_loss: 0.4")]
    rows = [
        {"val_loss": "0.5", "val_accuracy": "0.7", "seconds": "3"},
        {"val_loss": "0.4", "val_accuracy": "0.8", "seconds": "2"},
    ]
    usage = Usage(7.0, 150.0, 1.0, lines, [])
    assert time_to_loss.summarize(usage, rows, first_epochs=1) == {
        "epoch_ends": [4.0, 6.0],
        "val_loss": [0.5, 0.4],
        "val_accuracy": [0.7, 0.8],
        "epoch_seconds": 2.0,
        "memory": 1.0,
    }
