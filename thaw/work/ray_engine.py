"""Ray as an engine: workers of a cluster do the units."""

import contextlib
import gc
import pickle
import threading
import time
from collections.abc import Callable, Generator, Sequence
from typing import Any

from thaw.errors import MachineError, UserError, first_line
from thaw.progress import warn
from thaw.work import ray_worker
from thaw.work.job import Job
from thaw.work.machine import machine_facts
from thaw.work.options import EngineOptions
from thaw.work.ray_cluster import cluster
from thaw.work.units import Unit

_LOOK_SECONDS = 2.0  # between two looks at the ledger
_MOST_BLOCKS = 2000  # of units: each takes memory and time of this process
_THREAD_SECONDS = 20.0  # to end
_WAY_ON = "What is done stays; the same command again goes on with the rest."
_SILENCE_SECONDS = 300.0  # after which it is said what is waited for


def run(
    job: Job,
    units: Sequence[Unit],
    options: EngineOptions,
    describe: Callable[[Unit], str],
) -> Generator[tuple[Unit, Any]]:
    """Yields units, and what their worker returned, as they are done.

    A unit whose worker ends is done again by another one, three times at most.

    Args:
        job: The work.
        units: Its units.
        options: Of the engine.
        describe: Function that returns the names of the first photos of a unit.

    Raises:
        UserError: If there is no such cluster, or its workers can't do it.
        MachineError: If a unit can't be done.
    """
    if not units:
        return
    with cluster(options, len(units)) as (ray, pool):
        facts = machine_facts(job.packages)
        if not job.same_device:
            del facts["device"]
        here = ray.get_runtime_context().get_node_id()
        on_this_node = ray.util.scheduling_strategies
        ledger = ray.remote(ray_worker.Ledger).options(
            num_cpus=0,
            scheduling_strategy=on_this_node.NodeAffinitySchedulingStrategy(
                here, soft=False
            ),
        )
        ledger = ledger.remote(facts)
        with _all_threads_ended():
            watch = _Watch(ray, ledger, describe, units)
            rows = iter(_dataset(ray, pool, job, units, ledger).iter_rows())
            try:
                for row in rows:
                    unit = units[row["unit"]]
                    answer = pickle.loads(row["answer"])
                    yield unit, _result(answer, unit, describe)
            except ray.exceptions.RayError as error:
                raise MachineError(
                    f"Ray gave up: {first_line(error)} {_WAY_ON}"
                ) from error
            finally:
                watch.close()
                rows.close()


@contextlib.contextmanager
def _all_threads_ended():
    """Waits for the threads that were started in the context.

    One of Ray Data's that still asks Ray for something, once that is left,
    ends this process at once.
    """
    before = set(threading.enumerate())
    try:
        yield
    finally:
        gc.collect()  # of an iterator that is given up
        for thread in set(threading.enumerate()) - before:
            # That one waits for more and never ends, but asks for nothing.
            is_prefetcher = thread.name == "Prefetcher"
            thread.join(1.0 if is_prefetcher else _THREAD_SECONDS)


def _dataset(ray, pool, job, units, ledger):
    """Returns the `ray.data.Dataset` of the answers."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    # Those that still wait for a processor at the end count as dead.
    context.max_consecutive_actor_init_deaths = pool.workers + 3
    items = [{"unit": index} for index in range(len(units))]
    return ray.data.from_items(
        items, override_num_blocks=min(len(items), _MOST_BLOCKS)
    ).map_batches(
        ray_worker.Worker,
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(
            size=pool.workers, max_tasks_in_flight_per_actor=2
        ),
        fn_constructor_args=(
            list(units),
            tuple(job.packages),
            pickle.dumps(job),
            ledger,
        ),
        num_cpus=pool.cpus,
        num_gpus=pool.gpus or None,
        runtime_env={"env_vars": pool.environment},
        # By default Ray tries again without end; the ledger ends that.
    )


def _result(answer, unit, describe):
    """Returns the result in an answer.

    Raises:
        UserError, MachineError: If there is none.
    """
    kind, value = answer
    if kind == ray_worker.DONE:
        return value
    if kind == ray_worker.REFUSED:
        raise UserError(value)
    if kind == ray_worker.ENDED_WORKERS:
        raise MachineError(
            f"Unit {unit.number} ended its worker {len(value)} times, on "
            f"{', '.join(value)}; there may be too little memory for it. Its "
            f"photos: {describe(unit)}. {_WAY_ON}"
        )
    raise MachineError(
        f"Unit {unit.number} failed. Its photos: {describe(unit)}. "
        f"{_WAY_ON}\n{value}"
    )


class _Watch:
    """Says which units are done again, and what is waited for, in a thread."""

    def __init__(self, ray, ledger, describe, units):
        self._ray, self._ledger = ray, ledger
        self._describe, self._units = describe, units
        self._done, self._done_at = 0, time.monotonic()  # units
        self._news = None  # that have been asked for
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        """Ends the thread."""
        self._is_closed.set()
        self._thread.join()

    def _run(self):
        while not self._is_closed.wait(_LOOK_SECONDS):
            self._look()
        self._look()

    def _look(self):
        if self._news is None:
            self._news = self._ledger.news.remote()
        try:
            again, begun, done = self._ray.get(
                self._news, timeout=_LOOK_SECONDS
            )
        except self._ray.exceptions.GetTimeoutError:  # asked for again
            return
        self._news = None
        for index, places in again:
            *before, where = places
            warn(
                f"Unit {self._units[index].number} begins again on {where}: "
                f"its worker on {before[-1]} ended (attempt {len(places)} of "
                f"{ray_worker.MOST_ATTEMPTS})."
            )
        now = time.monotonic()
        if done > self._done:  # those of a block are answered together
            self._done, self._done_at = done, now
        elif now - self._done_at >= _SILENCE_SECONDS:
            self._done_at = now
            warn(f"Nothing was done for 5 minutes. {self._waiting(begun)}")

    def _waiting(self, begun):
        if not begun:
            total = self._ray.cluster_resources().get("CPU", 0)
            free = self._ray.available_resources().get("CPU", 0)
            return (
                f"No unit is in work: waiting for Ray to start workers, with "
                f"{free:g} of {total:g} processors free."
            )
        index, places = next(iter(begun.items()))
        unit = self._units[index]
        return (
            f"Waiting for {len(begun)} units, e.g. unit {unit.number} on "
            f"{places[-1]}: {self._describe(unit)}."
        )
