"""Description of the machine, and tables of benchmarks."""

import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence


def describe_machine() -> str:
    """Returns one line on the processor and the versions, no names."""
    import keras

    model = platform.processor() or platform.machine()
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":")[1].strip()
                break
    backend = keras.backend.backend()
    version = __import__(backend).__version__
    return (
        f"{len(os.sched_getaffinity(0))} cores, {model}; {backend} {version}, "
        f"Keras {keras.__version__}, Python {platform.python_version()}"
    )


def median_seconds(
    functions: Sequence[Callable], repeats: int, warm_up: int = 2
) -> list[float]:
    """Returns the median time of each function, called in turns."""
    seconds = [[] for _ in functions]
    for repeat in range(warm_up + repeats):
        for function, times in zip(functions, seconds, strict=True):
            start = time.perf_counter()
            function()
            if repeat >= warm_up:
                times.append(time.perf_counter() - start)
    return [statistics.median(times) for times in seconds]


def print_table(header: Sequence[str], rows: Sequence[Sequence]) -> None:
    """Prints a Markdown table."""
    print("| " + " | ".join(header) + " |")
    print("|" + " --- |" * len(header))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
