"""Requests per second of serve.py, and the time of one.

    python -m benchmarks.serve --run=runs/latest --photos=photos/validation

starts two servers, one of which never computes two photos together, and sends
the photos of a folder to one and the other in turns, from 1, 8 and 64 clients
that each keep a connection. Every request has to be answered, with what
predict.py says of its photo; else it exits with 1.
"""

import csv
import http.client
import itertools
import json
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from absl import app, flags

from benchmarks import machine

RUN = flags.DEFINE_string("run", None, "Run folder.")
PHOTOS = flags.DEFINE_string("photos", None, "Folder of photos.")
REQUESTS = flags.DEFINE_integer(
    "requests", 256, "Requests per measurement, of 1 client a quarter of that."
)
REPEATS = flags.DEFINE_integer("repeats", 5, "Measurements of each kind.")
flags.mark_flags_as_required(["run", "photos"])

ROOT = Path(__file__).parent.parent
CLIENTS = (1, 8, 64)
SERVERS = {"batches": 32, "one by one": 1}  # and its --batch_size


def main(_):
    expected = predictions(RUN.value, PHOTOS.value)
    bodies = {path: Path(path).read_bytes() for path in expected}
    print(machine.describe_machine(), flush=True)
    servers = {name: start(size) for name, size in SERVERS.items()}
    try:
        found = measure(
            {name: port for name, (_, port) in servers.items()}, bodies
        )
    finally:
        for process, _ in servers.values():
            process.send_signal(signal.SIGINT)
            process.wait()
    machine.print_table(
        ["clients", "", "requests a second", "p50, ms", "p95, ms"],
        [row(*key, runs) for key, runs in found.items()],
    )
    for clients in CLIENTS:
        together, alone = (
            statistics.median(rate(run) for run in found[clients, name])
            for name in SERVERS
        )
        print(f"{clients} clients: batches give {together / alone:.2f} x")
    if not check(found, expected):
        raise SystemExit("Answers are lost or wrong.")


def predictions(run_dir, photos):
    """Returns the rows of predict.py by path."""
    process = subprocess.run(
        [sys.executable, ROOT / "predict.py", run_dir, photos, "--format=csv"],
        stdout=subprocess.PIPE,
        text=True,
    )
    return {
        row["path"]: row for row in csv.DictReader(process.stdout.splitlines())
    }


def start(batch_size):
    """Returns the process of a server, and its port."""
    process = subprocess.Popen(
        [
            sys.executable,
            ROOT / "serve.py",
            RUN.value,
            "--port=0",
            f"--batch_size={batch_size}",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    said = process.stdout.readline()
    return process, int(re.search(r"http://127.0.0.1:(\d+)/", said)[1])


def measure(ports, bodies):
    """Returns the runs of every (number of clients, name of the server).

    Args:
        ports: Of the servers.
        bodies: Files by path.

    Returns:
        Of each a list of runs, (seconds, [(path, seconds, answer), ...]).
    """
    found = {key: [] for key in itertools.product(CLIENTS, ports)}
    for repeat in range(-1, REPEATS.value):  # the first is to warm up
        for (clients, name), runs in found.items():
            number = REQUESTS.value // (4 if clients == 1 else 1)
            result = send_all(ports[name], bodies, clients, number)
            if repeat >= 0:
                runs.append(result)
    return found


def send_all(port, bodies, clients, number):
    """Returns seconds in all, and (path, seconds, answer) of each request."""
    paths = list(bodies)
    step = max(1, len(paths) // number)
    of_thread = threading.local()

    def send(path):
        if not hasattr(of_thread, "connection"):
            of_thread.connection = http.client.HTTPConnection("127.0.0.1", port)
        start = time.perf_counter()
        try:
            of_thread.connection.request("POST", "/predict", bodies[path])
            answer = json.loads(of_thread.connection.getresponse().read())
        except (OSError, http.client.HTTPException) as error:
            del of_thread.connection
            answer = {"error": str(error)}
        return path, time.perf_counter() - start, answer

    sent = list(itertools.islice(itertools.cycle(paths[::step]), number))
    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        results = list(pool.map(send, sent))
    return time.perf_counter() - start, results


def rate(run):
    """Returns the requests a second of a run."""
    seconds, results = run
    return len(results) / seconds


def row(clients, name, runs):
    """Returns a row of the table: medians, the lowest and highest rate."""
    rates = sorted(map(rate, runs))
    latencies = sorted(1e3 * x for _, results in runs for _, x, _ in results)
    return [
        clients,
        name,
        f"{statistics.median(rates):.0f} ({rates[0]:.0f} to {rates[-1]:.0f})",
        f"{statistics.median(latencies):.0f}",
        f"{latencies[int(0.95 * len(latencies))]:.0f}",
    ]


def check(found, expected):
    """Prints how many answers are missing, or differ; returns if none do."""
    results = [x for runs in found.values() for _, some in runs for x in some]
    answers = [
        (path, answer) for path, _, answer in results if "path" in answer
    ]
    disagree, largest = 0, 0.0
    for path, answer in answers:
        of_photo = expected[path]
        disagree += answer["predicted"] != of_photo["predicted"]
        for name in set(of_photo) - {"path", "predicted"}:
            difference = abs(answer[name] - float(of_photo[name]))
            largest = max(largest, difference)
    print(
        f"{len(results):,} requests, {len(answers):,} answers; other labels "
        f"than predict.py: {disagree}; largest difference: {largest:.1e}"
    )
    return len(answers) == len(results) and not disagree and largest < 1e-4


if __name__ == "__main__":
    app.run(main)
