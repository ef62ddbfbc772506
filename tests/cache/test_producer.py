import itertools
import threading
import time

import pytest

from thaw.cache.producer import Producer


def test_items_come_in_order_and_are_made_ahead():
    made = []

    def items():
        for number in range(5):
            made.append(number)
            yield number

    with Producer(items, ahead=2) as producer:
        assert next(producer) == 0
        deadline = time.monotonic() + 10
        while len(made) < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert made == [0, 1, 2, 3]  # two are ready, one waits for its place
        assert list(producer) == [1, 2, 3, 4]
    assert not producer._thread.is_alive()


def test_an_error_comes_where_its_item_would_be():
    def items():
        yield 1
        raise ZeroDivisionError("no item")

    with Producer(items, ahead=2) as producer:
        assert next(producer) == 1
        with pytest.raises(ZeroDivisionError, match="no item"):
            next(producer)
        assert list(producer) == []


def test_closing_ends_the_thread_and_the_iterator():
    closed = threading.Event()

    def items():
        try:
            yield from itertools.count()
        finally:
            closed.set()

    producer = Producer(items, ahead=2)
    assert next(producer) == 0
    producer.close()
    assert closed.is_set()
    assert not producer._thread.is_alive()
    assert list(producer) == []


def test_one_that_waits_for_an_item_is_let_go():
    """As in the end of a run, where TensorFlow waits for the next batch."""
    stopped = threading.Event()
    got = []

    def items():
        stopped.wait(10)
        yield "late"

    producer = Producer(items, ahead=1)
    waiting = threading.Thread(target=lambda: got.extend(producer))
    waiting.start()
    stopped.set()
    producer.close()
    waiting.join(10)
    assert not waiting.is_alive()
