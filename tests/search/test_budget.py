import pytest

from thaw.errors import UserError
from thaw.search.budget import Budget, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("1.5h", 5400), ("600", 600), ("3 min", 180)],
)
def test_a_duration_is_read(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0s", "-5m", "ten", "5d", "nan"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(UserError, match="e.g. 90s, 10m or 1h. Received"):
        parse_duration(text)


def test_a_search_has_the_time_that_the_rest_of_the_run_leaves():
    budget = Budget(most_seconds=100, most_trials=None, seconds_before=20)
    # 60 seconds are for the search; half of it ends after 50.
    assert budget.allows(seconds=29, reserve=20, share=0.5)
    assert not budget.allows(seconds=31, reserve=20, share=0.5)
    assert budget.allows(seconds=59, reserve=20, share=1)
    assert not budget.allows(seconds=1, reserve=85, share=1)


def test_trials_are_counted_whatever_they_take():
    budget = Budget(most_seconds=None, most_trials=4, seconds_before=0)
    assert budget.allows(seconds=1e9, reserve=1e9, share=0.5)
    budget.trials = 2
    assert not budget.allows(seconds=0, reserve=0, share=0.5)
    assert budget.allows(seconds=0, reserve=0, share=1)
