import numpy as np

from training.validation import most_confused


def test_pairs_from_the_top():
    labels = np.array([0, 0, 0, 1, 1, 2, 2, 2])
    predicted = [0, 1, 2, 1, 0, 1, 1, 2]
    assert most_confused(labels, np.eye(3)[predicted], ["a", "b", "c"]) == [
        ("c", "b", 2),
        ("a", "b", 1),
        ("a", "c", 1),
        ("b", "a", 1),
    ]


def test_nothing_confused():
    assert most_confused(np.array([1, 0]), np.eye(2)[[1, 0]], ["a", "b"]) == []
