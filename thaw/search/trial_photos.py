"""Photos of trials: most of the training photos to fit, the others held out."""

import dataclasses
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from thaw.cache.features import Features
from thaw.cache.frozen_part import FrozenPart
from thaw.cache.plan import CacheSettings, num_views_of, open_cache
from thaw.cache.shards import FeatureCache
from thaw.data.datasets import make_augmentation
from thaw.data.grouped_split import grouped_rows
from thaw.data.split import stratified_rows
from thaw.data.views import pass_order
from thaw.training import plan
from thaw.training.stage import Stage
from thaw.training.state import Training

_HELD_OUT = 0.2
_MOST_FIT, _MOST_HELD_OUT = 2000, 1000


class TrialPhotos:
    """Training photos and their features, computed when they are asked for.

    The features are those of the run, in the same cache: what a trial has
    computed the run finds there.

    Attributes:
        fit: Rows of the photos to train on, ints.
        held_out: Rows of the photos to be judged on, ints.
        seconds_per_pass: What the features of all photos to fit took at most.
    """

    def __init__(self, training: Training, caching: CacheSettings):
        """Splits the training photos by the rules of the split of the run.

        Args:
            training: The run.
            caching: Settings of its cache.
        """
        photos, seed = training.splits.train, training.config.seed
        choose = grouped_rows if photos.groups else stratified_rows
        rng = np.random.default_rng(seed)
        self.fit, self.held_out = (
            np.sort(rng.permutation(rows)[:most])
            for rows, most in zip(
                choose(photos, _HELD_OUT, seed),
                (_MOST_FIT, _MOST_HELD_OUT),
                strict=True,
            )
        )
        self.seconds_per_pass = 0.0
        self._training = training
        self._caching = caching
        self._opened = {}
        self._views = {"none": training.views.clean}
        weights = training.settings.class_weight or {}
        self._weights = np.array([weights[x] for x in sorted(weights)], "f4")

    def num_views(self, augment: str, epochs: int) -> int:
        """Returns how many views of a photo so many epochs see.

        Args:
            augment: Augmentation.
            epochs: Number of epochs.
        """
        if augment == "none":
            return 1
        return self._training.config.cache_views or num_views_of(epochs)

    @property
    def labels(self) -> np.ndarray:
        """Labels of all training photos, int32 (N,)."""
        return self._training.splits.train.labels

    def read_all(self, stage: Stage) -> np.ndarray:
        """Returns the one boundary tensor of the photos to fit, unaugmented.

        Args:
            stage: Stage of the head.
        """
        (features,) = self._filled(stage, "none", 0, self.fit).read(0, self.fit)
        return features

    def batches(
        self, stage: Stage, augment: str, epoch: int, epochs: int
    ) -> Iterator[tuple]:
        """Yields the batches of an epoch: boundary tensors, labels, weights.

        Args:
            stage: Stage that trains on them.
            augment: Augmentation.
            epoch: Number of the epoch, from 0; each has an order of its own.
            epochs: How many there will be.
        """
        view = epoch % self.num_views(augment, epochs)
        cache = self._filled(stage, augment, view, self.fit)
        order = pass_order(self._training.config.seed, epoch, len(self.fit))
        size = self._training.settings.batch_size
        for start in range(0, len(order), size):
            # As many in each batch: another number would be compiled anew.
            places = np.take(order, range(start, start + size), mode="wrap")
            rows = self.fit[places]
            labels = self.labels[rows]
            weights = self._weights[labels] if len(self._weights) else None
            yield cache.read(view, rows), labels, weights

    def held_out_batches(self, stage: Stage, size: int) -> Iterator[tuple]:
        """Yields boundary tensors and labels of the photos to be judged on.

        Args:
            stage: Stage that trains on them.
            size: Photos per batch.
        """
        cache = self._filled(stage, "none", 0, self.held_out)
        for start in range(0, len(self.held_out), size):
            rows = self.held_out[start : start + size]
            yield cache.read(0, rows), self.labels[rows]

    def make_room(self, stage: Stage, augment: str) -> bool:
        """Returns whether the features of a stage have room beside all others.

        Older features of other runs make room for them.

        Args:
            stage: Stage that trains on them.
            augment: Augmentation.
        """
        folder: Any = self._caching.folder
        before = set(self._opened)
        for name in {augment, "none"}:
            self._open(stage, self._views_of(name))
        needed = sum(
            cache.bytes_per_view * cache.num_views
            for cache in self._opened.values()
        )
        keys = set(self._opened)
        room = folder.room_for(keys)
        if needed > room:
            for key in keys - before:
                del self._opened[key]
            return False
        folder.make_room(keys, needed, room)
        return True

    def _open(self, stage, views):
        return open_cache(
            stage.parts[0],
            views,
            self._caching.num_views if views.augment else 1,
            self._caching,
            self._training.settings.runtime,
            self._opened,
        )

    def _filled(
        self, stage: Stage, augment: str, view: int, rows: np.ndarray
    ) -> FeatureCache:
        """Returns the cache of a boundary, with a view of the rows in it."""
        views, settings = self._views_of(augment), self._training.settings
        cache = self._open(stage, views)
        frozen = FrozenPart(
            settings.frozen_layers,
            [(stage.boundary, cache.dtype)],
            settings.runtime,
        )
        features = Features(frozen, [cache], views)
        start = time.perf_counter()
        for _ in features.fill(view, rows):
            self._training.stop.check()
        features.close()
        seconds = time.perf_counter() - start
        self.seconds_per_pass = max(self.seconds_per_pass, seconds)
        return cache

    def _views_of(self, augment):
        if augment not in self._views:
            training = self._training
            config = dataclasses.replace(training.config, augment=augment)
            model = training.model
            size = model.get_layer("resize").height
            views = dataclasses.replace(
                training.views.clean, augment=make_augmentation(config, size)
            )
            if views.augment.source_size(size) != size:
                views = plan.make_views(config, model, training.splits).train
            self._views[augment] = views
        return self._views[augment]
