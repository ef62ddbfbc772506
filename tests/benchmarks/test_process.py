import pytest

from benchmarks import process


def test_it_tells_what_a_process_took():
    script = (
        "import sys, time\n"
        "print('begins')\n"
        "held = bytes(range(256)) * 400_000\n"
        "end = time.process_time() + 0.3\n"
        "while time.process_time() < end: pass\n"
        "print('ends', *sys.argv[1:])\n"
    )
    usage = process.run(["-c", script, "well"], sample=lambda pid: pid)
    (begin, first), (end, last) = usage.lines
    assert (first, last) == ("begins", "ends well")
    assert end - begin >= 0.3 and begin < end < usage.seconds
    assert usage.cpu_percent * usage.seconds >= 30
    assert 0.1 < usage.memory < 10
    assert len({pid for _, pid in usage.samples}) == 1
    times = [seconds for seconds, _ in usage.samples]
    assert times == sorted(times) and times[0] >= 0.1


def test_a_process_that_fails_ends_the_benchmark():
    with pytest.raises(SystemExit, match="(?s)no such.*status 3"):
        process.run(
            ["-c", "import sys; print('no such', file=sys.stderr); sys.exit(3)"]
        )
