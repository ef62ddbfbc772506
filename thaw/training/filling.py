"""Missing features of a run, computed in units of work."""

import dataclasses

import numpy as np

from thaw.cache.folder import CacheFolder
from thaw.cache.shards import SHARD_BYTES, FeatureCache
from thaw.errors import MachineError
from thaw.training.prepared import Prepared
from thaw.training.stages import features_of
from thaw.work.units import Unit, choose_size, plan_units


class Filling:
    """The features of a run: a plan of units, and the worker that does one.

    A unit is one shard of each cache that it fills, written whole under a name
    made of its content. To do one twice changes nothing.
    """

    def __init__(self, prepared: Prepared):
        """Takes a run.

        Args:
            prepared: The run, with the caches of its stages.
        """
        # As its stages will: what is computed along, and so its last bits.
        self._sources = [
            features
            for number in range(len(prepared.stages))
            for features in features_of(prepared, number)
        ]
        self._batch_size = prepared.settings.batch_size

    @property
    def keeps_any(self) -> bool:
        """True if any features are kept."""
        return any(of.caches[0].num_views for of in self._sources)

    def plan(self, workers: int) -> list[Unit]:
        """Returns the units of which something is missing.

        Their numbers don't depend on what is missing.

        Args:
            workers: How many will share them.
        """
        caches = [cache for of in self._sources for cache in of.caches]
        kept = [x for x in self._sources if x.caches[0].num_views]
        size = choose_size(
            sum(x.num_photos * x.caches[0].num_views for x in kept),
            self._batch_size,
            workers,
            SHARD_BYTES // max(cache.bytes_per_photo for cache in caches),
        )
        units, number = [], 0
        stored = {}  # of each cache and view, once all units before are done
        for source, features in enumerate(self._sources):
            first, *_ = features.caches
            for view in range(first.num_views):
                for cache in features.caches:
                    if (id(cache), view) not in stored:
                        stored[id(cache), view] = cache.stored(view).copy()
                missing = ~stored[id(first), view]
                some, number = plan_units(missing, size, number, view, source)
                units += some
                for cache in features.caches:
                    stored[id(cache), view][missing] = view < cache.num_views
        return units

    def describe(self, unit: Unit) -> str:
        """Returns the names of the first photos of a unit."""
        return self._sources[unit.source].describe_photos(unit.rows)

    def __call__(self, unit: Unit) -> None:
        """Computes a unit, and stores it.

        Raises:
            MachineError: If it can't be stored.
        """
        features = self._sources[unit.source]
        for _ in features.fill(unit.view, np.asarray(unit.rows)):
            pass
        features.close()
        if not all(cache.is_writable for cache in features.caches):
            raise MachineError(
                "The features cannot be stored. What is stored already is "
                "kept. Make room; then run the same command again."
            )


def with_other_caches(prepared: Prepared, folder: CacheFolder) -> Prepared:
    """Returns the same run with caches that have read nothing yet.

    Args:
        prepared: The run.
        folder: Folder of its caches.
    """
    opened = {}

    def open_again(cache):
        if id(cache) not in opened:
            opened[id(cache)] = FeatureCache(
                **cache.layout, num_views=cache.num_views, folder=folder
            )
        return opened[id(cache)]

    stages = [
        dataclasses.replace(
            stage,
            train_cache=open_again(stage.train_cache),
            val_cache=open_again(stage.val_cache),
        )
        for stage in prepared.stages
    ]
    return dataclasses.replace(prepared, stages=stages)
