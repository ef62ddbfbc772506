"""Ray's engine on two raylets of this machine; run in .venv-ray."""

import os
import signal
import threading
import time

import pytest

from tests.support.ray_jobs import ScriptedJob
from thaw.errors import MachineError, UserError
from thaw.work import ray_engine
from thaw.work.options import EngineOptions
from thaw.work.units import Unit

pytestmark = pytest.mark.ray

UNITS = [
    Unit(number, 0, range(4 * number, 4 * number + 4)) for number in range(12)
]


def run(job, options, units=UNITS):
    """Returns the answers of all units, in the order of their numbers."""

    def describe(unit):
        return f"the photos of {unit.number}"

    answers = list(ray_engine.run(job, units, options, describe))
    return [answer for _, answer in sorted(answers, key=lambda x: x[0].number)]


def times_begun(folder):
    return {
        int(path.name.removeprefix("begun-")): len(path.read_text().split())
        for path in folder.glob("begun-*")
    }


def test_a_unit_whose_worker_is_killed_is_done_again_elsewhere(
    options, tmp_path, capsys
):
    threads = set(threading.enumerate())
    handler = signal.getsignal(signal.SIGTERM)
    environment = dict(os.environ)
    job = ScriptedJob(str(tmp_path), {3: "die once", 7: "die once"}, 0.2)
    answers = run(job, options)
    assert [rows for rows, _ in answers] == [list(x.rows) for x in UNITS]
    assert len({process for _, process in answers}) >= 2
    begun = times_begun(tmp_path)
    assert (begun.pop(3), begun.pop(7)) == (2, 2)
    assert set(begun.values()) == {1}
    lines = capsys.readouterr().err
    assert "Unit 3 begins again on " in lines
    assert "(attempt 2 of 3)." in lines
    # As it was before the call.
    assert signal.getsignal(signal.SIGTERM) is handler
    assert dict(os.environ) == environment
    more = {x.name for x in set(threading.enumerate()) - threads}
    assert not any("pool" in name.lower() for name in more), more


def test_a_unit_that_kills_every_worker_ends_the_job(options, tmp_path):
    job = ScriptedJob(str(tmp_path), {5: "die"})
    start = time.monotonic()
    with pytest.raises(
        MachineError,
        match="Unit 5 ended its worker 3 times, on .*Its photos: the photos of "
        "5. What is done stays; the same command again",
    ):
        run(job, options)
    assert time.monotonic() - start < 120
    assert times_begun(tmp_path)[5] == 3


def test_a_unit_that_fails_is_named(options, tmp_path):
    job = ScriptedJob(str(tmp_path), {2: "fail"})
    with pytest.raises(
        MachineError, match="(?s)Unit 2 failed.*ValueError: no such thing"
    ):
        run(job, options)
    assert times_begun(tmp_path)[2] == 1


def test_workers_of_another_kind_are_refused(options, tmp_path, monkeypatch):
    monkeypatch.setattr("thaw.work.machine.device_kind", lambda: "CPU (sse)")
    with pytest.raises(
        UserError, match=r"device: expected CPU \(sse\), .* has CPU \("
    ):
        run(ScriptedJob(str(tmp_path)), options)
    assert not times_begun(tmp_path)


def test_a_node_that_is_removed_loses_nothing(cluster, options, tmp_path):
    node = cluster.add_node(num_cpus=2)
    units = [Unit(number, 0, range(4)) for number in range(20)]

    def remove():
        while len(list(tmp_path.glob("done-*"))) < 5:
            time.sleep(0.1)
        cluster.remove_node(node)

    thread = threading.Thread(target=remove)
    thread.start()
    answers = run(ScriptedJob(str(tmp_path), seconds=0.25), options, units)
    thread.join()
    assert len(answers) == 20
    assert len(list(tmp_path.glob("done-*"))) == 20


def test_too_many_workers_for_a_cluster(cluster, tmp_path):
    options = EngineOptions(
        engine="ray", ray_address=cluster.address, workers=50
    )
    with pytest.raises(UserError, match="`workers=50` need .* has 3"):
        run(ScriptedJob(str(tmp_path)), options)
    options = EngineOptions(
        engine="ray", ray_address=cluster.address, workers=2, gpus_per_worker=1
    )
    with pytest.raises(UserError, match="2 workers need 2 GPUs, and Ray finds"):
        run(ScriptedJob(str(tmp_path)), options)


def test_no_cluster_at_the_address(tmp_path):
    for address in ("127.0.0.1:1", "nowhere", "127.0.0.1:http"):
        options = EngineOptions(engine="ray", ray_address=address)
        with pytest.raises(UserError, match=f"no Ray cluster at {address}"):
            run(ScriptedJob(str(tmp_path)), options)
