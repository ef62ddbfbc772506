import signal

import pytest

from training.interruption import StopBetweenSteps


@pytest.fixture(autouse=True)
def ctrl_c_is_heard():
    """What a shell starts in the background ignores it, and so do its tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press_ctrl_c():
    signal.raise_signal(signal.SIGINT)


def test_the_first_ctrl_c_waits_for_the_end_of_the_step():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), StopBetweenSteps() as stop:
        press_ctrl_c()
        finished = True
        stop.on_train_batch_end(0)
        finished = False
    assert finished
    assert signal.getsignal(signal.SIGINT) is before


def test_one_after_the_last_step_is_not_lost():
    with pytest.raises(KeyboardInterrupt), StopBetweenSteps() as stop:
        stop.on_train_batch_end(0)
        stop.on_test_batch_end(0)
        press_ctrl_c()


def test_the_second_one_stops_at_once():
    with pytest.raises(KeyboardInterrupt), StopBetweenSteps():
        press_ctrl_c()
        press_ctrl_c()
        raise AssertionError("not reached")
