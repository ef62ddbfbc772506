"""Outputs of a model on photos whose frozen features are cached."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from thaw.cache.features import Features
from thaw.cache.frozen_part import FrozenLayers, FrozenPart
from thaw.cache.runtime import DEFAULT_RUNTIME, Runtime
from thaw.cache.shards import FeatureCache
from thaw.inference.outputs import Outputs, OutputsModel

_VIEWS = 2  # of features alone: three find hardly more
_BYTES = 32_000_000  # of boundary tensors that they are computed from at a time
_PHOTOS = 50_000  # of which there are no more at a time


class StoredOutputs:
    """Outputs of a model on photos, computed when they are asked for.

    They are those of view 0; features alone are means of some of the cached
    views, which say more of a photo than one distorted view.
    """

    def __init__(
        self,
        stage,
        cache: FeatureCache,
        views,
        layers: FrozenLayers,
        runtime: Runtime = DEFAULT_RUNTIME,
    ):
        """Splits the model.

        Args:
            stage: Stage whose cache it is: an object with its `model` and with
                `boundary`, the tensors of it that are cached.
            cache: Cache of these; missing ones are computed.
            views: `thaw.data.views.PhotoViews`.
            layers: Frozen layers of the model.
            runtime: What computes missing ones.
        """
        self._trained = OutputsModel(stage.model, stage.boundary)
        frozen = FrozenPart(layers, [(stage.boundary, cache.dtype)], runtime)
        self._features = Features(frozen, [cache], views)
        self._cache = cache
        self._order = views.order(0)
        self._batch_size = layers.batch_size
        # A batch of the stage's size is too short to be fast.
        of_photo = (
            sum(map(np.prod, cache.shapes)) * np.dtype(cache.dtype).itemsize
        )
        most = min(_BYTES // of_photo, _PHOTOS)
        self._num_batches = max(1, int(most // layers.batch_size))
        self._num_views = min(max(cache.num_views, 1), _VIEWS)

    def __len__(self):
        return len(self._order)

    def all(self) -> Outputs:
        """Returns all outputs of all photos, in their order."""
        arrays: list[np.ndarray] = []
        for rows, tensors in self._tensors(0, 1):
            outputs = self._trained(tensors)
            if not arrays:
                arrays = [self._empty(x) for x in outputs]
            for array, some in zip(arrays, outputs, strict=True):
                array[rows] = some
        return Outputs(*arrays)

    def features(self) -> np.ndarray:
        """Returns the features of all photos, in their order, float (N, D)."""
        features: Any = None
        for view in range(self._num_views):
            for rows, tensors in self._tensors(view, self._num_batches):
                some = self._trained(tensors).features
                if features is None:
                    features = self._empty(some)
                # In place: of many photos two such arrays are too much.
                features[rows] = features[rows] + some if view else some
        features /= self._num_views
        return features

    def stores_all(self) -> bool:
        """Returns whether the cache has all features, now that it is filled."""
        views = range(self._cache.num_views and self._num_views)
        for view in views:
            for _ in self._features.fill(view, self._order):
                pass
        self._features.close()
        return bool(views) and all(self._cache.stored(x).all() for x in views)

    def features_of(self, rows: np.ndarray) -> np.ndarray:
        """Returns the features of some photos of which all are stored.

        Args:
            rows: Rows of the photos, ints (B,), B > 0.
        """
        count = self._num_batches * self._batch_size
        ends = range(count, len(rows), count)
        features: Any = 0
        for view in range(self._num_views):
            tensors = (
                self._cache.read(view, some) for some in np.split(rows, ends)
            )
            parts = [self._trained(x).features for x in tensors]
            features = features + np.concatenate(parts)
        return features / self._num_views

    def _empty(self, some):
        return np.empty((len(self), *some.shape[1:]), some.dtype)

    def _tensors(self, view, num_batches) -> Iterator:
        """Yields rows of photos and their boundary tensors, some at a time."""
        order = self._order
        if self._cache.stored(view).all():
            count = num_batches * self._batch_size
            for start in range(0, len(order), count):
                rows = order[start : start + count]
                yield rows, self._cache.read(view, rows)
            return
        start, batches = 0, self._features.one_pass(view).as_numpy_iterator()
        while some := list(itertools.islice(batches, num_batches)):
            tensors = zip(*(tensors for tensors, _ in some), strict=True)
            tensors = list(map(np.concatenate, tensors))
            yield order[start : start + len(tensors[0])], tensors
            start += len(tensors[0])
        self._features.close()


class FeaturesOfSplits:
    """Features of both splits by row, of which the first are read in parts."""

    def __init__(self, train: StoredOutputs, validation: np.ndarray):
        """Takes the training photos, all stored, and features of the others."""
        self._train, self._validation = train, validation

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Returns the features of ascending rows, float (B, D)."""
        trained, others = np.split(rows, [rows.searchsorted(len(self._train))])
        parts = [self._validation[others - len(self._train)]]
        if len(trained):
            parts.insert(0, self._train.features_of(trained))
        return np.concatenate(parts)
