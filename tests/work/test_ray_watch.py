"""The lines on units that hang, with stand-ins for Ray: none is needed."""

import itertools
import time
import types

import pytest

from thaw.work import ray_engine, ray_worker
from thaw.work.units import Unit

UNITS = [Unit(number, 0, range(number, number + 1)) for number in range(3)]


class Ledger:
    def __init__(self, begun, done=lambda: 0):
        self.news = types.SimpleNamespace(remote=lambda: ([], begun, done()))


def ray():
    return types.SimpleNamespace(
        get=lambda value, timeout: value,
        exceptions=types.SimpleNamespace(GetTimeoutError=TimeoutError),
        cluster_resources=lambda: {"CPU": 8.0},
        available_resources=lambda: {"CPU": 1.0},
    )


@pytest.mark.parametrize(
    "begun, expected",
    [
        (
            {1: ["a", "b"], 2: ["c"]},
            "Waiting for 2 units, e.g. unit 1 on b: photos of 1.",
        ),
        (
            {},
            "No unit is in work: waiting for Ray to start workers, with 1 of "
            "8 processors free.",
        ),
    ],
)
def test_it_is_said_what_is_waited_for(monkeypatch, capsys, begun, expected):
    monkeypatch.setattr(ray_engine, "_LOOK_SECONDS", 0.02)
    monkeypatch.setattr(ray_engine, "_SILENCE_SECONDS", 0.2)

    def describe(unit):
        return f"photos of {unit.number}"

    watch = ray_engine._Watch(ray(), Ledger(begun), describe, UNITS)
    found = ""
    end = time.monotonic() + 30
    while not found and time.monotonic() < end:
        time.sleep(0.02)
        found = capsys.readouterr().err
    watch.close()
    assert found.startswith(f"Nothing was done for 5 minutes. {expected}")


def test_units_that_are_done_are_no_silence(monkeypatch, capsys):
    monkeypatch.setattr(ray_engine, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(ray_engine, "_SILENCE_SECONDS", 0.0)
    done = itertools.count(1)
    ledger = Ledger({1: ["a"]}, lambda: next(done))
    watch = ray_engine._Watch(ray(), ledger, str, UNITS)
    while next(done) < 10:
        time.sleep(0.01)
    watch.close()
    assert "Nothing was done" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "error, kind",
    [
        (OSError(28, "No space left on device"), ray_worker.FAILED),
        (FloatingPointError("NaN"), ray_worker.FAILED),
        (KeyError("x"), ray_worker.FAILED),
    ],
)
def test_a_worker_answers_with_what_went_wrong(error, kind):
    def do(unit):
        raise error

    worker = object.__new__(ray_worker.Worker)
    worker._units, worker._do, worker._where = UNITS, do, "node-7"
    answer = worker._result(0)
    assert answer[0] == kind and answer[1].startswith("node-7: ")
    assert str(error.args[-1]) in answer[1]
