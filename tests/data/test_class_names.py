import unicodedata

import pytest

from thaw.data.class_names import (
    are_numbers,
    composed,
    describe_similar,
    sorted_names,
)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["10", "2", "0", "1"], ["0", "1", "2", "10"]),
        (["1.5", "-2", "+1", "01", "1"], ["-2", "+1", "01", "1", "1.5"]),
        (["10", "2", "b"], ["10", "2", "b"]),
        (["dog", "Cat", "cat"], ["Cat", "cat", "dog"]),
        (["9" * 40 + "1", "9" * 40], ["9" * 40, "9" * 40 + "1"]),
        ([], []),
    ],
)
def test_numbers_are_in_order_of_their_value(names, expected):
    assert sorted_names(names) == tuple(expected)


@pytest.mark.parametrize("name", ["1e5", "٣", "1_000", "", "nan", "1.", " 1"])
def test_other_texts_are_no_numbers(name):
    assert not are_numbers(["1", name])


def test_similar_names():
    nfd = unicodedata.normalize("NFD", "é")
    assert composed(nfd) == "é"
    counts = {
        "Bee": 40, "bee": 2, "wasp": 3, "ant ": 1, "Ant": 1_000, "1": 5,
        "1.0": 6, "01": 7, "Ａ": 8, "A": 9, "sea  star": 2, "sea star": 3,
    }  # fmt: skip
    assert describe_similar(counts) == [
        "Bee and bee differ only by case: 40 and 2 photos",
        "'ant ' and 'Ant' differ only by spaces and case: 1 and 1,000 photos",
        "1, 1.0 and 01 differ only by number format: 5, 6 and 7 photos",
        "Ａ and A differ only by Unicode form: 8 and 9 photos",
        "'sea  star' and 'sea star' differ only by spaces: 2 and 3 photos",
    ]
    assert describe_similar({"cat": 1, "cats": 2, "10": 3, "100": 4}) == []
