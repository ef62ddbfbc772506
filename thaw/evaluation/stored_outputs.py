"""Outputs of a model on photos whose frozen features are cached."""

import itertools

import numpy as np

from thaw.cache.features import Features
from thaw.cache.frozen_part import FrozenLayers, FrozenPart
from thaw.cache.runtime import DEFAULT_RUNTIME, Runtime
from thaw.cache.shards import FeatureCache
from thaw.inference.outputs import Outputs, OutputsModel

_VIEWS = 2  # of features alone: three find hardly more
_BYTES = 32_000_000  # of boundary tensors that they are computed from at a time


def stored_outputs(
    stage,
    cache: FeatureCache,
    views,
    layers: FrozenLayers,
    *,
    runtime: Runtime = DEFAULT_RUNTIME,
    features_only: bool = False,
) -> Outputs:
    """Returns the outputs of photos, in their order.

    They are those of view 0; features alone are means of some of the cached
    views, which say more of a photo than one distorted view.

    Args:
        stage: Stage whose cache it is: an object with its `model` and with
            `boundary`, the tensors of it that are cached.
        cache: Cache of these; missing ones are computed.
        views: `thaw.data.views.PhotoViews`.
        layers: Frozen layers of the model.
        runtime: What computes missing ones.
        features_only: Whether all else may be empty: of many photos they
            take memory.
    """
    trained = OutputsModel(stage.model, stage.boundary)
    frozen = FrozenPart(layers, [(stage.boundary, cache.dtype)], runtime)
    photos = Features(frozen, [cache], views)
    rows = np.argsort(views.order(0))
    num_batches = 1
    if features_only:  # a batch of the stage's size is too short to be fast
        of_photo = (
            sum(map(np.prod, cache.shapes)) * np.dtype(cache.dtype).itemsize
        )
        num_batches = max(1, int(_BYTES / (of_photo * layers.batch_size)))

    def outputs_of(view):
        parts = []
        batches = photos.one_pass(view).as_numpy_iterator()
        while some := list(itertools.islice(batches, num_batches)):
            tensors = zip(*(tensors for tensors, _ in some), strict=True)
            outputs = trained(list(map(np.concatenate, tensors)))
            if features_only:
                outputs = [outputs.features, *(x[:, :0] for x in outputs[1:])]
            parts.append(outputs)
        photos.close()
        arrays = zip(*parts, strict=True)
        return Outputs(*(np.concatenate(x)[rows] for x in arrays))

    outputs = outputs_of(0)
    if features_only:
        num_views = min(max(cache.num_views, 1), _VIEWS)
        for view in range(1, num_views):
            outputs.features[:] += outputs_of(view).features
        outputs.features[:] /= num_views
    return outputs
