"""Tests for thaw/cache/side_by_side.py."""

import threading

import pytest

from thaw.cache.side_by_side import AT_A_TIME, map_side_by_side


def test_results_come_in_order_of_batches_that_are_computed_together():
    meeting = threading.Barrier(AT_A_TIME)

    def compute(batch):
        meeting.wait(timeout=30)  # for the other one
        return 10 * batch

    assert list(map_side_by_side(compute, range(4))) == [0, 10, 20, 30]


def test_no_more_is_begun_than_is_waited_for():
    begun = []

    def batches():
        for batch in range(9):
            begun.append(batch)
            yield batch

    results = map_side_by_side(str, batches())
    assert next(results) == "0"
    assert begun == list(range(AT_A_TIME))


def test_threads_end_with_the_iterator():
    before = threading.active_count()
    results = map_side_by_side(str, range(9))
    next(results)
    results.close()
    assert threading.active_count() == before


def test_an_error_is_raised_where_its_result_would_be():
    def compute(batch):
        return 1 / (2 - batch)

    results = map_side_by_side(compute, range(4))
    assert [next(results), next(results)] == [0.5, 1.0]
    with pytest.raises(ZeroDivisionError):
        next(results)
