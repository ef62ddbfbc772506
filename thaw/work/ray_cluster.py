"""A Ray cluster, joined or started for the time of a call."""

import contextlib
import importlib
import logging
import os
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from thaw import device
from thaw.errors import UserError, first_line
from thaw.work.options import EngineOptions

_PACKAGES = ("thaw", "model_zoo", "augment", "plots")
_CPUS_PER_WORKER = 4
_CONNECT_SECONDS = 10
# They change last bits, or what TensorFlow logs.
_PASSED_ON = (
    "TF_ENABLE_ONEDNN_OPTS",
    "ONEDNN_MAX_CPU_ISA",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


class Pool(NamedTuple):
    """The workers of a cluster.

    Attributes:
        workers: Number of workers.
        cpus: Processors of each.
        gpus: GPUs of each.
    """

    workers: int
    cpus: int
    gpus: float

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables of each worker."""
        passed_on = {x: os.environ[x] for x in _PASSED_ON if x in os.environ}
        return {
            "KERAS_BACKEND": "tensorflow",
            "TF_CPP_MIN_LOG_LEVEL": "2",
            "TF_NUM_INTRAOP_THREADS": str(self.cpus),
            **passed_on,
        }


@contextlib.contextmanager
def cluster(options: EngineOptions, num_units: int) -> Iterator[tuple]:
    """Yields the module `ray`, connected, and a `Pool` for some units.

    Workers get the packages of this process, whatever is installed there.

    Args:
        options: Of the engine.
        num_units: Number of units.

    Raises:
        UserError: If Ray isn't installed, there is no such cluster, or it is
            too small.
    """
    ray = _import_ray()
    address = options.ray_address
    if ray.is_initialized():
        raise UserError(
            "`engine=ray` connects to Ray itself, and this process is "
            "connected already. Call ray.shutdown() before."
        )
    arguments: dict[str, Any] = {
        "address": address or "local",  # by default it joins what it finds
        "log_to_driver": False,
        "logging_level": logging.ERROR,
        "runtime_env": {"py_modules": _package_folders()},
    }
    pool = None
    if address is None:
        pool = _pool(options, device.num_processors() + 1, num_units)
        arguments |= {
            # One is left: without, Ray Data waits for ever (ray#44687).
            "num_cpus": pool.workers * pool.cpus + 1,
            "include_dashboard": False,
            "_node_ip_address": "127.0.0.1",
        }
    elif address != "auto":
        _check_listens(address)
    # Not in the main thread: there it would take over SIGTERM. A cluster ends
    # with the thread that started it.
    with _quiet(), ThreadPoolExecutor(1) as thread:
        try:
            thread.submit(_connect, ray, arguments).result()
            if pool is None:
                pool = _pool_of_cluster(ray, options, num_units)
            _check_gpus(ray, options, pool)
            yield ray, pool
        finally:
            ray.shutdown()


def _connect(ray, arguments):
    errors = ray.exceptions.RayError, ConnectionError, RuntimeError, ValueError
    try:
        ray.init(**arguments)
    except errors as error:
        raise UserError(
            "`engine=ray`: cannot connect to Ray "
            f"({arguments['address']}): {first_line(error)}"
        ) from error


def _import_ray():
    try:
        importlib.import_module("ray.data")
        return importlib.import_module("ray")
    except ImportError as error:
        raise UserError(
            "`engine=ray`: Ray isn't installed. pip install -e '.[ray]'"
        ) from error


def _package_folders() -> Sequence[str]:
    return [
        str(Path(importlib.import_module(name).__path__[0]))
        for name in _PACKAGES
    ]


def _check_listens(address):
    """Raises a `UserError` at once where Ray would wait for a minute."""
    host, _, port = address.rpartition(":")
    try:
        if not host or not port.isdecimal():
            raise OSError("expected HOST:PORT, e.g. 10.0.0.5:6379")
        socket.create_connection((host, int(port)), _CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise UserError(
            f"`ray_address`: no Ray cluster at {address}: {first_line(error)} "
            "(ray start --head starts one, and prints its address.)"
        ) from error


@contextlib.contextmanager
def _quiet():
    """Keeps Ray from logging and reporting, and puts the environment back."""
    before = dict(os.environ)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)
        _forget_token()


def _forget_token():
    """Makes Ray read again from the environment whether clusters have tokens.

    It keeps that of a cluster that it started, and one without a token, joined
    later, loses its actors. There is no public function for it.
    """
    with contextlib.suppress(ImportError, AttributeError):  # of another Ray
        raylet = importlib.import_module("ray._raylet")
        raylet.Config.initialize("")
        raylet.AuthenticationTokenLoader.instance().reset_cache()


def _pool_of_cluster(ray, options, num_units):
    total = int(ray.cluster_resources().get("CPU", 0))
    sizes = [node["Resources"].get("CPU", 0) for node in _alive(ray)]
    pool = _pool(options, total, num_units, ray.cluster_resources().get("GPU"))
    smallest = int(min((x for x in sizes if x), default=1))
    return pool._replace(cpus=min(pool.cpus, smallest))


def _alive(ray):
    return [node for node in ray.nodes() if node["Alive"]]


def _pool(options, total, num_units, gpus=None):
    """Returns a pool on so many processors, of which Ray Data needs one."""
    free = total - 1
    workers = options.workers
    if workers is None and options.gpus_per_worker and gpus:
        workers = max(1, int(gpus / options.gpus_per_worker))
    elif workers is None:
        workers = max(1, free // _CPUS_PER_WORKER)
    if options.ray_address is not None and workers > free:
        raise UserError(
            f"`workers={workers}` need as many processors and one more. The "
            f"cluster at {options.ray_address} has {total}."
        )
    workers = min(workers, num_units)
    return Pool(workers, max(1, free // workers), options.gpus_per_worker)


def _check_gpus(ray, options, pool):
    has = ray.cluster_resources().get("GPU", 0)
    if pool.gpus * pool.workers > has:
        raise UserError(
            f"`gpus_per_worker={pool.gpus:g}`: {pool.workers} workers need "
            f"{pool.gpus * pool.workers:g} GPUs, and Ray finds {has:g}."
        )
