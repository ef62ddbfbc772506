"""The runtime of a run whose features several machines compute."""

import hashlib
import json

import filelock

from model_zoo.hashes import hash_layers
from thaw.atomic import write_json
from thaw.cache.plan import CacheSettings
from thaw.cache.runtime import Runtime
from thaw.config import TrainConfig
from thaw.errors import UserError
from thaw.training.caching import choose_runtime
from thaw.training.stage import Settings, Stage, Views
from thaw.work.machine import describe_differences, machine_facts


def choose_shared_runtime(
    config: TrainConfig,
    stages: list[Stage],
    settings: Settings,
    views: Views,
    caching: CacheSettings,
) -> Runtime:
    """Returns what computes the frozen part in all parts of a run.

    Measured on each machine, it might be another one on each. So the first
    that asks decides as `choose_runtime`, while others wait, and writes it down
    in the folder of the cache, with its kind of device and its versions.

    Args:
        config, stages, settings, views, caching: As in `choose_runtime`.

    Raises:
        UserError: If there is no cache, or this is another kind of device,
            whose features would have other last bits.
    """
    if caching.folder is None:
        raise UserError(
            "`part` fills the cache of features, and this run has none. Drop "
            "`cache_views=0`, or give a `cache_dir` that can be written to."
        )
    path = caching.folder.path / f"parts-{_digest(config, stages, views)}.json"
    with filelock.FileLock(f"{path}.lock"):
        if not path.exists():
            runtime = choose_runtime(config, stages, settings, views, caching)
            machine = machine_facts(runtime.packages)
            write_json(path, {"runtime": runtime, "machine": machine})
        known = json.loads(path.read_text("utf-8"))
    runtime = Runtime(*known["runtime"])
    differences = describe_differences(
        known["machine"], machine_facts(runtime.packages), "this machine"
    )
    if differences:
        raise UserError(
            "Other parts of this run were computed by another kind of machine, "
            "whose features have other last bits. Compute all parts on one "
            f"kind, or in another `cache_dir` than {caching.folder.path}.\n"
            f"{differences}"
        )
    return runtime


def _digest(config, stages, views):
    """Returns a hash of what is computed, whatever computes it."""
    frozen = stages[-1].parts[0]
    facts = [
        frozen.to_json(),
        hash_layers(frozen),
        views.train.photos.fingerprint(),
        views.validation.photos.fingerprint(),
        *(config.frozen_runtime, config.frozen_precision, config.batch_size),
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
