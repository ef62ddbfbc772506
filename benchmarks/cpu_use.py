"""CPU use over a run of train.py, in a picture; of one commit or two.

    python -m benchmarks.cpu_use --job=squeezenet --photos=cats_vs_dogs \
        --backbones=backbones --before=COMMIT

Runs train.py of the working tree, and of another commit, with empty caches.
Draws CPU use in percent of one core over time, phases marked by what train.py
prints, and prints seconds and CPU use of each phase.
"""

import contextlib
import itertools
import os
import re
import time
from pathlib import Path

import numpy as np
from absl import app, flags
from matplotlib.figure import Figure

from benchmarks import jobs, machine, process, train_job
from plots.style import COLORS, label_axes, save_figure

BEFORE = flags.DEFINE_string("before", None, "Commit to run first.")
OUTPUT = flags.DEFINE_string("output", "cpu_use.png", "PNG file to write.")

_PHASES = {  # a line that begins like this: the phase that begins with it
    r"Checked ": "model",
    r"Stage (\w+):": r"stage \1",
    r"Epoch (\d+)/": r"epoch \1",
    r"Evaluating|Looking at": "report",
    r"Total time": "exit",
}
_SMOOTHED_SECONDS = 0.5
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class GroupUse:
    """CPU use of a process group since the last call, percent of one core."""

    def __init__(self):
        self._ticks, self._time = {}, time.perf_counter()

    def __call__(self, group: int) -> float:
        ticks, now = {}, time.perf_counter()
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                # After the name, in brackets: state, parent, group, ...; user
                # and system time are fields 14 and 15 (proc(5)).
                fields = path.read_text().rpartition(")")[2].split()
                if int(fields[2]) == group:
                    ticks[path] = int(fields[11]) + int(fields[12])
        used = sum(x - self._ticks.get(path, 0) for path, x in ticks.items())
        percent = 100 * used / _TICKS_A_SECOND / (now - self._time)
        self._ticks, self._time = ticks, now
        return percent


def main(argv):
    flags_of_train = jobs.train_flags(argv[1:])
    usages = {}
    with contextlib.ExitStack() as stack:
        roots = {"working tree": process.ROOT}
        if BEFORE.value:
            root = stack.enter_context(train_job.checkout(BEFORE.value))
            roots = {BEFORE.value: root} | roots
        for name, root in roots.items():
            finished = train_job.run_job(root, flags_of_train, GroupUse())
            usages[name] = finished.usage
    description = machine.describe_machine()
    save_figure(draw(usages, description), OUTPUT.value, dpi=100)
    print(f"{description}\ntrain.py {' '.join(flags_of_train)}")
    for name, usage in usages.items():
        print(
            f"\n{name}: {usage.seconds:.1f} s, CPU use {usage.cpu_percent:.0f}%"
        )
        machine.print_table(
            ["phase", "s", "CPU, %"],
            [
                [
                    phase,
                    f"{end - start:.1f}",
                    f"{mean_use(usage, start, end):.0f}",
                ]
                for phase, start, end in phases(usage)
            ],
        )
    print(f"Picture  {OUTPUT.value}")


def phases(usage):
    """Returns name, start and end of each phase, in seconds."""
    starts = [("start, check", 0.0)]
    for seconds, line in usage.lines:
        for pattern, name in _PHASES.items():
            if found := re.match(pattern, line):
                starts.append((found.expand(name), seconds))
    starts.append(("", usage.seconds))
    return [
        (name, start, end)
        for (name, start), (_, end) in itertools.pairwise(starts)
    ]


def mean_use(usage, start, end):
    """Returns the mean CPU use between two times, NaN without a sample."""
    values = [use for seconds, use in usage.samples if start < seconds <= end]
    return np.mean(values) if values else np.nan


def draw(usages, title):
    """Returns a figure with CPU use over time, one run below the other."""
    figure = Figure(figsize=(11, 3 * len(usages)), layout="constrained")
    axes = figure.subplots(len(usages), sharex=True, squeeze=False)[:, 0]
    figure.suptitle(title, fontsize="medium")
    cores = len(os.sched_getaffinity(0))
    for ax, color, (name, usage) in zip(
        axes, COLORS, usages.items(), strict=False
    ):
        seconds, use = np.transpose(usage.samples)
        width = max(1, round(_SMOOTHED_SECONDS * len(use) / usage.seconds))
        use = np.convolve(use, np.full(width, 1 / width), mode="same")
        ax.fill_between(seconds, use, color=color, alpha=0.3, linewidth=0)
        ax.plot(seconds, use, color=color, linewidth=1)
        ax.axhline(100 * cores, color="0.5", linewidth=1, linestyle=":")
        for phase, start, _ in phases(usage):
            is_epoch = phase.startswith("epoch")
            ax.axvline(start, ymax=0.04 if is_epoch else 1, color="0.25")
            if not is_epoch:
                ax.annotate(
                    f" {phase}", (start, 100 * cores), (2, 4),
                    textcoords="offset points", rotation=30, fontsize="small",
                )  # fmt: skip
        ax.axvline(usage.seconds, color="0.25")
        ax.set_ylim(0, 160 * cores)
        label_axes(
            ax,
            f"{name}: {usage.seconds:.1f} s, {usage.cpu_percent:.0f}%",
            "Seconds from the start of the process; ticks: epochs",
            "CPU use, % of one core",
        )
    return figure


if __name__ == "__main__":
    app.run(main)
