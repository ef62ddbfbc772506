from types import SimpleNamespace

import numpy as np
import pytest

from model_zoo import build_model, preprocessing
from model_zoo.boundary import split
from model_zoo.unfreeze import first_trained_layer
from thaw.cache.frozen_part import FrozenLayers
from thaw.cache.shards import FeatureCache
from thaw.data.datasets import PhotoViews
from thaw.data.inspect import inspect_photos
from thaw.data.load import load_photos
from thaw.evaluation.stored_outputs import stored_outputs
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
    drawn_photos, unfreeze_from, head
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
    found = stored_outputs(
        stage, FeatureCache(shapes, len(photos)), views, layers
    )
    batches = list(Predictor(model).predict(inspect_photos(photos)))
    for name in ("features", "penultimate", "probabilities"):
        expected = np.concatenate([getattr(x.outputs, name) for x in batches])
        np.testing.assert_allclose(
            getattr(found, name), expected, rtol=1e-4, atol=1e-4
        )
    assert found.features.shape == (48, 64)  # means over places
    small = stored_outputs(
        stage,
        FeatureCache(shapes, len(photos)),
        views,
        layers,
        features_only=True,
    )
    np.testing.assert_array_equal(small.features, found.features)
    assert small.penultimate.size == 0


def stage_of(model, unfreeze_from):
    frozen, _ = split(model, first_trained_layer(model, unfreeze_from))
    return SimpleNamespace(model=model, boundary=frozen.outputs)
