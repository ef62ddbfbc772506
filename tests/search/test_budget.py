from thaw.search.budget import Budget


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
