import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from thaw.serving.batcher import Batcher, Busy


def make_batcher(compute, prepare=lambda item: item, **options):
    options = {"batch_size": 4, "room": 100, "num_preparing": 2} | options
    return Batcher(prepare, compute, **options)


def wait_until(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_everyone_gets_what_is_theirs():
    batcher = make_batcher(lambda batch: [-item for item in batch])
    with ThreadPoolExecutor(16) as pool:
        results = list(
            pool.map(lambda x: batcher.submit([x])[0].result(), range(500))
        )
    assert results == [-x for x in range(500)]
    batcher.close()


def test_what_waits_is_computed_together_and_one_alone_at_once():
    batches, go = [], threading.Event()

    def compute(batch):
        batches.append(list(batch))
        go.wait(10)
        return batch

    batcher = make_batcher(compute, num_preparing=1)
    first = batcher.submit(["alone"])
    wait_until(lambda: batches)
    rest = batcher.submit(list(range(9)))
    wait_until(lambda: batcher._ready.qsize() == 9)
    go.set()
    assert [x.result() for x in first + rest] == ["alone", *range(9)]
    assert batches == [["alone"], [0, 1, 2, 3], [4, 5, 6, 7], [8]]
    batcher.close()


def test_failures_are_those_of_their_item_or_batch():
    def prepare(item):
        if item == "bad":
            raise ValueError("not an image")
        return item

    def compute(batch):
        if "poison" in batch:
            raise MemoryError("too much")
        return batch

    batcher = make_batcher(compute, prepare, room=2)
    good, bad = batcher.submit(["good", "bad"])
    assert good.result() == "good"
    with pytest.raises(ValueError, match="not an image"):
        bad.result()
    for item, error in 3 * (("poison", MemoryError), ("bad", ValueError)):
        with pytest.raises(error):
            batcher.submit([item])[0].result()
    assert batcher.submit(["after it"])[0].result() == "after it"
    batcher.close()


def test_a_result_too_few_is_a_failure_and_not_a_wait():
    batcher = make_batcher(lambda batch: [])
    with pytest.raises(ValueError):
        batcher.submit([1])[0].result(timeout=10)
    batcher.close()


def test_there_is_room_for_all_or_for_none():
    go = threading.Event()

    def compute(batch):
        go.wait(10)
        return batch

    batcher = make_batcher(compute, room=5)
    first = batcher.submit([1, 2, 3])
    with pytest.raises(Busy):
        batcher.submit([4, 5, 6])
    second = batcher.submit([4, 5])
    with pytest.raises(Busy):
        batcher.submit([6])
    go.set()
    assert [x.result() for x in first + second] == [1, 2, 3, 4, 5]
    assert batcher.submit(5 * [0])[4].result() == 0
    batcher.close()


def test_the_end_waits_for_what_is_in_work():
    def compute(batch):
        time.sleep(0.02)
        return batch

    batcher = make_batcher(compute)
    futures = batcher.submit(list(range(30)))
    batcher.close()
    assert [x.result(timeout=0) for x in futures] == list(range(30))
