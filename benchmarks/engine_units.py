"""Memory and time of Ray's engine itself: many units with no work in them.

    python -m benchmarks.engine_units --units=50000

The memory is that of this process: before, with TensorFlow in it (`VmRSS`), and
at most (`VmHWM`). The time is that between the first and the last answer.
"""

import functools
import time
import types
from pathlib import Path

from absl import app, flags

from benchmarks import machine
from thaw.work import ray_engine
from thaw.work.options import EngineOptions
from thaw.work.units import Unit

UNITS = flags.DEFINE_integer("units", 50_000, "Units of 1,000 photos.")
WORKERS = flags.DEFINE_integer("workers", 2, "Of Ray.")
_PHOTOS = 1000


# A job whose units return their text. Workers don't know this module.
EMPTY_JOB = types.SimpleNamespace(
    packages=(),
    same_device=False,
    start=functools.partial(functools.partial, str),
)


def main(_):
    print(machine.describe_machine())
    units = [
        Unit(number, 0, range(number * _PHOTOS, (number + 1) * _PHOTOS))
        for number in range(UNITS.value)
    ]
    options = EngineOptions(engine="ray", workers=WORKERS.value)
    before = memory("VmRSS")
    times = [time.perf_counter()]
    for _ in ray_engine.run(EMPTY_JOB, units, options, str):
        times.append(time.perf_counter())
    begin, first, *_, end = times
    row = [
        f"{len(units):,}",
        f"{first - begin:.1f}",
        f"{(end - first) / len(units) * 1000:.2f}",
        f"{before:.0f}",
        f"{memory('VmHWM'):.0f}",
    ]
    header = "units", "s to start", "ms a unit", "MB before", "MB at most"
    machine.print_table(header, [row])


def memory(name):
    """Returns a kind of memory of this process, in MB."""
    lines = Path("/proc/self/status").read_text().split("\n")
    (line,) = [x for x in lines if x.startswith(f"{name}:")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    app.run(main)
