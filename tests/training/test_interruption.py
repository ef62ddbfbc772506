import signal
import threading

import pytest

from thaw.cli import signals
from thaw.errors import Stopped
from thaw.training.interruption import StopRequest, request_stop


def test_the_first_ctrl_c_waits_for_the_end_of_the_step():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Stopped) as error, StopRequest() as stop:
        stop.check()
        signal.raise_signal(signal.SIGINT)
        finished = True
        stop.check()
        finished = False
    assert finished
    assert error.value.status == 130
    assert str(error.value) == "Stopped by Ctrl-C."
    assert signal.getsignal(signal.SIGINT) is before


def test_the_second_ctrl_c_interrupts_at_once():
    """And no process is ended: it may be a notebook's."""
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt) as error, StopRequest():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    assert type(error.value) is KeyboardInterrupt
    assert signal.getsignal(signal.SIGINT) is before


def test_one_after_the_last_step_is_not_lost():
    with pytest.raises(Stopped, match="Stopped by Ctrl-C"), StopRequest():
        signal.raise_signal(signal.SIGINT)


def test_other_signals_are_nothing_of_a_library_call():
    before = [signal.getsignal(x) for x in (signal.SIGTERM, signal.SIGHUP)]
    with StopRequest():
        now = [signal.getsignal(x) for x in (signal.SIGTERM, signal.SIGHUP)]
    assert now == before


def test_in_another_thread_no_handler_is_set():
    found = []

    def run():
        with StopRequest() as stop:
            found.append(signal.getsignal(signal.SIGINT))
            assert request_stop(signal.SIGTERM)
            try:
                stop.check()
            except Stopped as stopped:
                found.append(stopped.status)

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [before, 143]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_command_line_stops_a_run_on_other_signals(number):
    outside = signal.signal(number, signal.SIG_DFL)  # nohup's is ignored
    try:
        check_a_stop(number)
    finally:
        signal.signal(number, outside)


def check_a_stop(number):
    with pytest.raises(Stopped) as error, signals.stop_on_signals():
        with StopRequest() as stop:
            signal.raise_signal(number)
            finished = True
            stop.check()
            finished = False
    assert finished and error.value.status == 128 + number
    assert signal.getsignal(number) is signal.SIG_DFL
    with pytest.raises(Stopped), signals.stop_on_signals():
        signal.raise_signal(number)  # where nothing trains yet


def test_what_nohup_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals.stop_on_signals(), StopRequest() as stop:
            signal.raise_signal(signal.SIGHUP)
            stop.check()
    finally:
        signal.signal(signal.SIGHUP, before)
