import dataclasses
import threading
from typing import NamedTuple

import numpy as np
import pytest

from augment import Affine, Mixes
from model_zoo import build_model
from model_zoo.boundary import split
from thaw.cache.features import Features
from thaw.cache.folder import CacheFolder
from thaw.cache.frozen_part import FrozenLayers, FrozenPart
from thaw.cache.runtime import DEFAULT_RUNTIME, Runtime
from thaw.cache.shards import FeatureCache
from thaw.data.load import load_photos
from thaw.data.views import PhotoViews

SIZE = 32


class Input(NamedTuple):
    """Boundary tensors of a stage, and their cache."""

    boundary: list
    train_cache: FeatureCache


@pytest.fixture(scope="module")
def model():
    return build_model("vgg16_tiny", weights="auto", image_size=SIZE)


@pytest.fixture(scope="module")
def photos(drawn_photos):
    return load_photos(drawn_photos)[0]


def make_input(model, layer, num_photos, folder=None, key="0", num_views=0):
    boundary = split(model, model.get_layer(layer))[0].outputs
    shapes = [tensor.shape[1:] for tensor in boundary]
    cache = FeatureCache(
        shapes, num_photos, num_views=num_views, folder=folder, key=32 * key
    )
    return Input(boundary, cache)


def make_features(
    model,
    photos,
    *inputs,
    seed=3,
    batch_size=10,
    mix=None,
    runtime=DEFAULT_RUNTIME,
):
    inputs = inputs or [make_input(model, "block5_conv1", len(photos))]
    views = PhotoViews(
        photos,
        model.get_layer("resize"),
        SIZE,
        seed=seed,
        augment=Affine(seed=3),
    )
    return Features(
        FrozenPart(
            FrozenLayers(model, batch_size),
            [(x.boundary, x.train_cache.dtype) for x in inputs],
            runtime,
        ),
        [x.train_cache for x in inputs],
        views,
        mix,
    )


def frozen_part(model, layer, batch_size, runtime=DEFAULT_RUNTIME):
    boundary = split(model, model.get_layer(layer))[0].outputs
    layers = FrozenLayers(model, batch_size)
    return FrozenPart(layers, [(boundary, "float32")], runtime)


def batches(ds, count=-1):
    return [
        ([np.array(x) for x in tensors], labels)
        for tensors, labels in ds.take(count).as_numpy_iterator()
    ]


def assert_equal(some, others):
    for (tensors, labels), (more, other) in zip(some, others, strict=True):
        np.testing.assert_array_equal(labels, other)
        for tensor, same in zip(tensors, more, strict=True):
            assert tensor.dtype == "float32"
            np.testing.assert_array_equal(tensor, same)


def test_features_do_not_depend_on_how_full_a_batch_is(model, images):
    """Bit for bit: short batches are padded, then cut back."""
    frozen = frozen_part(model, "block5_conv1", 3)
    images = images[:, :SIZE, :SIZE]
    (alone,) = frozen(images[3:])
    assert len(alone) == 1
    for position in range(3):
        padded = np.zeros_like(images[:3])
        padded[position] = images[3]
        (together,) = frozen(padded)
        np.testing.assert_array_equal(alone[0], together[position])


def test_they_are_what_the_frozen_part_makes_of_the_views(model, photos):
    features = make_features(model, photos)
    frozen, _ = split(model, model.get_layer("block5_conv1"))
    views = features._views
    rows = views.order(0)[:10]
    (images,) = views.images(0, rows, 10).as_numpy_iterator()
    ((tensors, labels),) = batches(features.endless(), 1)
    np.testing.assert_array_equal(labels, photos.labels[rows])
    np.testing.assert_allclose(
        tensors[0], frozen.predict_on_batch(images), atol=1e-5
    )


def test_the_stream_starts_again_at_any_place(model, photos):
    """48 photos in batches of 10: passes begin in the middle of batches."""
    features = make_features(model, photos)
    whole = batches(features.endless(), 14)
    for start in (1, 4, 5, 10):
        rest = batches(features.endless(10 * start), 4)
        assert_equal(whole[start : start + 4], rest)


def test_one_pass_sees_every_photo_once(model, photos):
    features = make_features(model, photos, seed=None)
    ds = features.one_pass()
    assert ds.cardinality() == 5
    labels = [labels for _, labels in batches(ds)]
    assert [len(x) for x in labels] == [10, 10, 10, 10, 8]
    np.testing.assert_array_equal(np.concatenate(labels), photos.labels)


def test_pass_p_sees_view_p_modulo_their_number(model, photos, tmp_path):
    folder = CacheFolder(tmp_path, limit_bytes=10**9)
    n = len(photos)
    cached = make_features(
        model,
        photos,
        make_input(model, "block5_conv1", n, folder, num_views=2),
        batch_size=n,
    )
    fresh = make_features(model, photos, batch_size=n)
    seen = batches(cached.endless(), 5)
    for pass_index, (tensors, labels) in enumerate(seen):
        order = fresh._views.order(pass_index)
        np.testing.assert_array_equal(labels, photos.labels[order])
        view = pass_index % 2
        ((of_view, _),) = batches(fresh.endless(view * n), 1)
        by_photo = np.argsort(fresh._views.order(view))
        np.testing.assert_array_equal(tensors[0], of_view[0][by_photo][order])


def test_the_first_view_may_come_at_any_pass_or_be_the_only_one(model, photos):
    n = len(photos)
    features = make_features(model, photos, batch_size=n)
    expected = features._views

    def view_of(stream, pass_index):
        """Returns which view the next pass of a stream shows."""
        ((tensors, _),) = batches(stream, 1)
        frozen, _ = split(model, model.get_layer("block5_conv1"))
        for view in range(4):
            rows = expected.order(pass_index)
            (images,) = expected.images(view, rows, n).as_numpy_iterator()
            of_view = frozen.predict_on_batch(images)
            if np.allclose(tensors[0], of_view, atol=1e-5):
                return view

    assert view_of(features.endless(5 * n), 5) is None
    assert view_of(features.endless(5 * n, first_pass=5), 5) == 0
    assert view_of(features.endless(5 * n, first_pass=3), 5) == 2


def test_cached_or_not_the_batches_are_the_same(model, photos, tmp_path):
    """Nothing stored, all, a part by a run that was killed, a damaged shard."""
    expected = batches(make_features(model, photos).endless(), 14)
    folder = CacheFolder(tmp_path, limit_bytes=10**9)

    def run(steps):
        features = make_features(
            model,
            photos,
            make_input(model, "block5_conv1", 48, folder, num_views=3),
        )
        made = batches(features.endless(), steps)
        features.close()
        return made

    assert_equal(expected[:7], run(7))
    assert_equal(expected, run(14))
    assert_equal(expected, run(14))
    for path in sorted(folder.path.glob("*/0001-*.npy"))[:1]:
        path.write_bytes(path.read_bytes()[:-100])
    assert_equal(expected, run(14))


def test_a_pass_that_is_not_asked_for_its_end_is_stored(
    model, photos, tmp_path
):
    """As Keras does, which counts the batches of validation."""
    folder = CacheFolder(tmp_path, limit_bytes=10**9)
    stage_input = make_input(model, "block5_conv1", 48, folder, num_views=1)
    features = make_features(model, photos, stage_input, batch_size=12)
    steps = iter(features.one_pass())
    for _ in range(4):
        next(steps)
    assert stage_input.train_cache.stored(0).all()


def test_what_is_stored_is_not_computed_again(model, photos, tmp_path):
    folder = CacheFolder(tmp_path, limit_bytes=10**9)
    for images_made in (2 * 48, 0):
        stage_input = make_input(model, "block5_conv1", 48, folder, num_views=2)
        features = make_features(model, photos, stage_input)
        made = []
        compute = features._views.images

        def count(view, rows, batch_size, compute=compute, made=made):
            made.extend(rows)
            return compute(view, rows, batch_size)

        object.__setattr__(features._views, "images", count)
        batches(features.endless(), 40)
        assert len(made) == images_made


def test_later_stages_find_their_tensors_stored(model, photos, tmp_path):
    folder = CacheFolder(tmp_path, limit_bytes=10**9)

    def inputs():
        return [
            make_input(model, layer, 48, folder, key, num_views=1)
            for layer, key in (("head_hidden", "1"), ("block5_conv1", "2"))
        ]

    first, _ = inputs()
    features = make_features(model, photos, *inputs())
    made = batches(features.endless(), 6)
    features.close()
    assert made[0][0][0].shape == (10, *first.train_cache.shapes[0])
    assert inputs()[1].train_cache.stored(0).all()
    alone = make_features(model, photos, inputs()[1])
    fresh = make_features(model, photos)
    assert_equal(batches(alone.endless(), 4), batches(fresh.endless(), 4))


def test_a_photo_that_changed_since_the_check_is_not_stored(
    model, photos, tmp_path
):
    folder = CacheFolder(tmp_path, limit_bytes=10**9)
    stage_input = make_input(model, "block5_conv1", 48, folder, num_views=1)
    features = make_features(model, photos, stage_input)
    object.__setattr__(
        features._views, "unchanged", lambda rows: ~np.isin(rows, [5, 9])
    )
    batches(features.endless(), 5)
    features.close()
    stored = stage_input.train_cache.stored(0)
    assert np.flatnonzero(~stored).tolist() == [5, 9]


def test_an_error_in_the_thread_that_makes_batches_is_kept(model, photos):
    gone = dataclasses.replace(photos, paths=("gone.jpg", *photos.paths[1:]))
    features = make_features(model, gone)
    with pytest.raises(Exception, match="gone.jpg"):
        batches(features.endless(), 5)
    assert "gone.jpg" in str(features.error)


def test_a_boundary_of_several_tensors_and_no_dropout(images):
    model = build_model("efficientnetb0", weights="none", image_size=64)
    name = "block6c_project_bn"
    _, trained = split(model, model.get_layer(name))
    assert len(trained.inputs) > 1
    images = images[:, :64, :64]
    np.testing.assert_allclose(
        trained.predict_on_batch(list(frozen_part(model, name, 4)(images))),
        model.predict_on_batch(images),
        atol=1e-5,
    )


def test_mixes_do_not_depend_on_where_a_stream_begins(model, photos):
    """48 photos in batches of 10: photo 65 is in the middle of the second."""
    mix = Mixes(0, 2, mixup=True)
    features = make_features(model, photos, mix=mix)

    def photos_of(first_photo, count):
        some = batches(features.endless(first_photo), count)
        return (
            np.concatenate([tensors for (tensors,), _ in some]),
            np.concatenate([targets for _, targets in some]),
        )

    tensors, targets = photos_of(0, 9)
    assert targets.shape == (90, 1) and targets.dtype == "float32"
    assert ((targets > 0) & (targets < 1)).any()
    later, their_targets = photos_of(65, 2)
    np.testing.assert_array_equal(later, tensors[65:85])
    np.testing.assert_array_equal(their_targets, targets[65:85])


OTHER_RUNTIMES = [
    Runtime("tensorflow", "bfloat16"),
    Runtime("openvino", "float32"),
    Runtime("openvino", "bfloat16"),
]


@pytest.mark.parametrize("runtime", OTHER_RUNTIMES, ids=Runtime.describe)
def test_cached_or_not_the_batches_of_each_runtime_are_the_same(
    model, photos, tmp_path, runtime
):
    """48 photos in batches of 10: the last of a pass is short."""
    folder = CacheFolder(tmp_path, limit_bytes=10**9)
    expected = batches(
        make_features(model, photos, runtime=runtime).endless(), 14
    )
    for _ in range(2):
        features = make_features(
            model,
            photos,
            make_input(model, "block5_conv1", 48, folder, num_views=3),
            runtime=runtime,
        )
        assert_equal(expected, batches(features.endless(), 14))
        features.close()


@pytest.mark.parametrize("runtime", OTHER_RUNTIMES, ids=Runtime.describe)
def test_a_later_boundary_made_along_changes_no_bit(model, images, runtime):
    images = images[:, :SIZE, :SIZE]
    layers = FrozenLayers(model, 4)
    boundaries = [
        (split(model, model.get_layer(name))[0].outputs, "float32")
        for name in ("head_hidden", "block5_conv1")
    ]
    _, along = FrozenPart(layers, boundaries, runtime)(images)
    (alone,) = FrozenPart(layers, boundaries[1:], runtime)(images)
    np.testing.assert_array_equal(along, alone)


@pytest.mark.parametrize("runtime", OTHER_RUNTIMES, ids=Runtime.describe)
def test_each_runtime_computes_the_frozen_part(model, images, runtime):
    images = images[:, :SIZE, :SIZE]
    (expected,) = frozen_part(model, "block5_conv1", 4)(images)
    (tensor,) = frozen_part(model, "block5_conv1", 4, runtime)(images)
    largest = 0.05 if runtime.precision == "bfloat16" else 1e-3
    error = np.sqrt(np.mean(np.square(tensor - expected)))
    assert error <= largest * np.sqrt(np.mean(np.square(expected)))


def test_mixed_views_of_a_runtime_are_computed_alike(model, photos):
    mix = Mixes(0, 2, mixup=True)
    runtime = Runtime("openvino", "float32")
    some, others = (
        batches(
            make_features(model, photos, mix=mix, runtime=runtime).endless(), 9
        )
        for _ in range(2)
    )
    assert_equal(some, others)


def test_closing_ends_the_threads(model, photos):
    features = make_features(model, photos)
    steps = iter(features.endless())
    next(steps)
    assert "producer" in [x.name for x in threading.enumerate()]
    features.close()
    assert "producer" not in [x.name for x in threading.enumerate()]
