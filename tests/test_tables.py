from thaw.tables import format_row, format_table, rule


def test_columns_are_aligned_and_the_titles_underlined():
    rows = [("run", "accuracy", ""), ("longer", "0.9", ""), ("b", "1", "ended")]
    assert format_table(rows).split("\n") == [
        "run     accuracy",
        "------  --------  -----",
        "longer  0.9",
        "b       1         ended",
    ]


def test_rows_that_are_printed_one_by_one():
    widths = [6, 5]
    assert format_row(["name", "1.5"], widths, numbers=True) == "name      1.5"
    assert format_row(["a longer name", "x"], widths) == "a longer name  x"
    assert rule(widths) == ["------", "-----"]
