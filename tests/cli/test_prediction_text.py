import pytest

from thaw.cli.prediction_text import FORMATS


@pytest.mark.parametrize(
    ("class_names", "labels", "written"),
    [
        (["1", "2", "3"], ["3", "1"], ["3", "1"]),
        ([*map(str, range(12))], ["5", "10"], ["5", "10"]),
        (["0", "1", "10", "11", "2"], ["10", "2"], ["10", "2"]),  # of before
        (["-1", "0.5"], ["0.5", "-1"], ["0.5", "-1"]),
        (["cat", "dog", "owl"], ["owl", "cat"], ["2", "0"]),
        (["10", "2", "none"], ["2", "none"], ["1", "2"]),
    ],
)
def test_a_contest_gets_names_that_are_numbers(class_names, labels, written):
    paths = ["b/2.jpg", "b/10.jpg"]
    rows = [
        {"path": path, "predicted": label}
        for path, label in zip(paths, labels, strict=True)
    ]
    text = "".join(FORMATS["contest"](rows, class_names, paths, None))
    assert text == f"id,label\n2,{written[0]}\n10,{written[1]}\n"
