import os
import signal
import subprocess
import sys

import pytest

from tests.support.paths import ROOT
from thaw.training.interruption import Stopped, StopRequest

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("number", SIGNALS[:2])
def test_the_first_signal_waits_for_the_end_of_the_step(number):
    before = signal.getsignal(number)
    with pytest.raises(Stopped) as error, StopRequest() as stop:
        stop.check()
        signal.raise_signal(number)
        finished = True
        stop.check()
        finished = False
    assert finished
    assert error.value.status == 128 + number
    assert signal.getsignal(number) is before


def test_one_in_validation_ends_it():
    with pytest.raises(Stopped, match="Stopped by SIGTERM"):
        with StopRequest() as stop:
            stop.on_test_batch_end(0)
            signal.raise_signal(signal.SIGTERM)
            stop.on_test_batch_end(1)


def test_one_after_the_last_step_is_not_lost():
    with pytest.raises(Stopped, match="Stopped by Ctrl-C"), StopRequest():
        signal.raise_signal(signal.SIGINT)


CODE = """
import signal, sys
from thaw.training.interruption import StopRequest
with StopRequest() as stop:
    number = int(sys.argv[1])
    signal.raise_signal(number)
    print("first", flush=True)
    signal.raise_signal(number)
    print("not reached", flush=True)
"""


@pytest.mark.parametrize("number", SIGNALS)
def test_the_second_one_stops_at_once(number):
    process = subprocess.run(
        [sys.executable, "-c", CODE, str(int(number))],
        capture_output=True, text=True, cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
    )  # fmt: skip
    assert process.returncode == 128 + number
    # A file is written to after SIGHUP as well, unlike a terminal.
    assert process.stdout == "first\n"


def test_what_nohup_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopRequest() as stop:
            signal.raise_signal(signal.SIGHUP)
            stop.check()
    finally:
        signal.signal(signal.SIGHUP, before)
