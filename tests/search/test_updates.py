import pytest

from thaw.search import updates
from thaw.search.estimate import Estimate, StageEstimate


@pytest.fixture
def clock(monkeypatch):
    """The time, which goes on when told."""
    now = [100.0]
    monkeypatch.setattr(updates.time, "perf_counter", lambda: now[0])
    return now


def train(clock, estimate, epochs):
    """Ends epochs of a stage that take some seconds each."""
    callback = updates.EstimateUpdates(estimate, clock[0] - estimate.check)
    for number, (stage, seconds) in enumerate(epochs):
        clock[0] += seconds
        callback.on_epoch_end(number, {"stage": stage})


def make_estimate(head=(), fine_tune=()):
    stages = (
        StageEstimate("head", (0.0,) * len(head), tuple(head)),
        StageEstimate("fine_tune", (0.0,) * len(fine_tune), tuple(fine_tune)),
    )
    return Estimate(10.0, stages, 10.0, 0)


def test_nothing_is_said_while_the_estimate_is_right(clock, capsys):
    estimate = make_estimate([5.0], [10.0] * 10)
    train(clock, estimate, [("head", 6.0)] + [("fine_tune", 11.0)] * 10)
    assert capsys.readouterr().out == ""


def test_one_line_is_said_where_epochs_take_twice_as_long(clock, capsys):
    estimate = make_estimate(fine_tune=[10.0] * 10)
    train(clock, estimate, [("fine_tune", 20.0)] * 10)
    # After 20 s epochs are taken to last 22/12 of what was estimated: 165 s
    # for the other nine, and 10 s for the report.
    assert capsys.readouterr().out == (
        "About 3 min 25 s in all, 2 min 55 s left\n"
    )


def test_a_stage_that_ends_early_shortens_the_run(clock, capsys):
    estimate = make_estimate([10.0] * 10, [1.0] * 2)
    train(clock, estimate, [("head", 10.0)] + [("fine_tune", 1.0)] * 2)
    assert capsys.readouterr().out == "About 32 s in all, 11 s left\n"


def test_at_most_three_lines_are_said(clock, capsys):
    estimate = make_estimate(fine_tune=[1.0] * 20)
    train(clock, estimate, [("fine_tune", 4.0**n) for n in range(1, 10)])
    assert len(capsys.readouterr().out.splitlines()) == 3
