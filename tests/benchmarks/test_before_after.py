from benchmarks import before_after


def test_the_table_has_medians_all_values_and_ratios(capsys):
    before = [[90.0, 150.0, 2.0, 0.96, 0.10], [110.0, 160.0, 2.0, 0.96, 0.12]]
    after = [[40.0, 180.0, 1.5, 0.97, 0.11], [60.0, 190.0, 2.5, 0.95, 0.11]]
    before_after.print_table({"before": before, "after": after})
    *_, old, new, ratios = capsys.readouterr().out.splitlines()
    assert old.startswith("| before | 100.0 (90.0, 110.0) | 155 (150, 160) |")
    assert new.endswith("| 0.9600 (0.9700, 0.9500) | 0.1100 (0.1100, 0.1100) |")
    assert ratios == (
        "| after / before | 0.500 | 1.194 | 1.000 | 1.000 | 1.000 |"
    )
