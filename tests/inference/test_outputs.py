import numpy as np
import pytest

from model_zoo import build_model, preprocessing
from thaw.cache.shards import FeatureCache
from thaw.data.datasets import PhotoViews
from thaw.data.inspection_cache import check_contents
from thaw.data.load import index_photos
from thaw.inference.outputs import compute_outputs, pool, two_columns


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
def test_from_any_boundary_they_are_those_of_the_whole_model(
    drawn_photos, unfreeze_from, head
):
    model = build_model(
        "vgg16_tiny",
        image_size=48,
        weights="auto",
        unfreeze_from=unfreeze_from,
        **head,
    )
    photos, _ = index_photos(drawn_photos)
    views = PhotoViews(photos, preprocessing.resizing_of(model), 48, seed=3)
    found = compute_outputs(
        model,
        unfreeze_from,
        FeatureCache(shapes_of(model, unfreeze_from), len(photos)),
        views,
        batch_size=7,
    )
    contents = check_contents(photos.paths)
    from thaw.inference.predictor import Predictor

    batches = list(Predictor(model).predict(contents))
    for name in ("features", "penultimate", "probabilities"):
        expected = np.concatenate([getattr(x.outputs, name) for x in batches])
        np.testing.assert_allclose(
            getattr(found, name), expected, rtol=1e-4, atol=1e-4
        )
    assert found.features.shape == (48, 64)  # means over places
    small = compute_outputs(
        model,
        unfreeze_from,
        FeatureCache(shapes_of(model, unfreeze_from), len(photos)),
        views,
        batch_size=7,
        features_only=True,
    )
    np.testing.assert_array_equal(small.features, found.features)
    assert small.penultimate.size == 0


def shapes_of(model, unfreeze_from):
    from model_zoo.boundary import split
    from model_zoo.unfreeze import first_trained_layer

    frozen, _ = split(model, first_trained_layer(model, unfreeze_from))
    return [tensor.shape[1:] for tensor in frozen.outputs]


def test_flattened_maps_are_averaged_over_places():
    model = build_model("vgg16_tiny", image_size=64, weights="none")
    maps = np.random.default_rng(0).normal(size=(3, 2, 2, 64))
    np.testing.assert_allclose(
        pool(model, maps.reshape(3, -1)), maps.mean(axis=(1, 2)), atol=1e-6
    )


def test_one_unit_is_two_columns():
    columns = two_columns(np.array([[0.25], [1.0]]))
    np.testing.assert_array_equal(columns, [[0.75, 0.25], [0, 1]])
    three = np.eye(3)
    assert two_columns(three) is three
