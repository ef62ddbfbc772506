from types import SimpleNamespace

import numpy as np
import pytest

from model_zoo import build_model, preprocessing
from model_zoo.boundary import split
from model_zoo.unfreeze import first_trained_layer
from thaw.cache.folder import CacheFolder
from thaw.cache.frozen_part import FrozenLayers
from thaw.cache.shards import FeatureCache
from thaw.data.datasets import PhotoViews
from thaw.data.inspect import inspect_photos
from thaw.data.load import load_photos
from thaw.evaluation.stored_outputs import FeaturesOfSplits, StoredOutputs
from thaw.inference.predictor import Predictor


@pytest.mark.parametrize(
    "unfreeze_from, head",
    [
        ("block5_conv1", {}),
        ("none", {}),
        ("none", {"hidden_units": 0, "dropout": 0.0}),
        ("none", {"pooling": "avg", "hidden_units": 0}),
        ("all", {"pooling": "avg"}),
    ],
)
def test_outputs_from_any_boundary_equal_those_of_the_whole_model(
    drawn_photos, tmp_path, unfreeze_from, head
):
    model = build_model(
        "vgg16_tiny",
        image_size=48,
        weights="auto",
        unfreeze_from=unfreeze_from,
        **head,
    )
    photos, _ = load_photos(drawn_photos)
    views = PhotoViews(photos, preprocessing.resizing_of(model), 48, seed=3)
    stage = stage_of(model, unfreeze_from)
    shapes = [tensor.shape[1:] for tensor in stage.boundary]
    layers = FrozenLayers(model, batch_size=7)
    cache = FeatureCache(shapes, len(photos))
    stored = StoredOutputs(stage, cache, views, layers)
    assert not stored.stores_all()
    found = stored.all()
    batches = list(Predictor(model).predict(inspect_photos(photos)))
    for name in ("features", "penultimate", "probabilities"):
        expected = np.concatenate([getattr(x.outputs, name) for x in batches])
        np.testing.assert_allclose(
            getattr(found, name), expected, rtol=1e-4, atol=1e-4
        )
    assert found.features.shape == (48, 64)  # means over places
    np.testing.assert_array_equal(stored.features(), found.features)
    folder = CacheFolder(tmp_path, limit_bytes=10**9)
    for dtype, exact in (("float32", 1e-6), ("float16", 0.01)):
        cache = FeatureCache(
            shapes,
            len(photos),
            num_views=1,
            dtype=dtype,
            folder=folder,
            key=f"{exact}",
        )
        stored = StoredOutputs(stage, cache, views, layers)
        computed = stored.features()  # and stored
        assert stored.stores_all()
        np.testing.assert_array_equal(stored.features(), computed)
        np.testing.assert_allclose(computed, found.features, atol=exact)
        by_row = FeaturesOfSplits(stored, computed[:5] + 1)
        rows = np.array([0, 3, 47, 48, 52])
        expected = np.concatenate([computed, computed[:5] + 1])[rows]
        np.testing.assert_allclose(by_row[rows], expected, atol=1e-6)
        np.testing.assert_array_equal(by_row[rows[3:]], expected[3:])


def stage_of(model, unfreeze_from):
    frozen, _ = split(model, first_trained_layer(model, unfreeze_from))
    return SimpleNamespace(model=model, boundary=frozen.outputs)
