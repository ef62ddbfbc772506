import keras
import numpy as np
import pytest
import tensorflow as tf

from augment import Affine
from input_pipeline import dataset
from input_pipeline.index import index_photos

SIZE = 32


@pytest.fixture(scope="module")
def photos(drawn_photos):
    return index_photos(drawn_photos)[0]


def train_batches(photos, count, *, batch_size=10, threads=None, **arguments):
    arguments = {"seed": 3, "augment": Affine(seed=3), **arguments}
    ds = dataset.make_train_ds(
        photos,
        resize=keras.layers.Resizing(SIZE, SIZE),
        image_size=SIZE,
        batch_size=batch_size,
        **arguments,
    )
    if threads is not None:
        options = tf.data.Options()
        options.threading.private_threadpool_size = threads
        ds = ds.with_options(options)
    return [(x, y) for x, y in ds.take(count).as_numpy_iterator()]


def assert_equal(some, others):
    for (x, y), (other_x, other_y) in zip(some, others, strict=True):
        np.testing.assert_array_equal(x, other_x)
        np.testing.assert_array_equal(y, other_y)


def test_batches_are_raw_rgb_and_int_labels(photos):
    ((images, labels),) = train_batches(photos, 1)
    assert images.shape == (10, SIZE, SIZE, 3) and images.dtype == "float32"
    assert labels.shape == (10,) and labels.dtype == "int32"
    assert images.min() >= 0 and images.max() > 100


def test_order_and_views_do_not_depend_on_the_number_of_threads(photos):
    assert_equal(
        train_batches(photos, 12, threads=1),
        train_batches(photos, 12, threads=8),
    )


def test_another_seed_gives_other_batches(photos):
    ((first, _),), ((other, _),) = (
        train_batches(photos, 1, seed=seed, augment=None) for seed in (3, 4)
    )
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("first_photo", [10, 40, 50, 100])
def test_the_stream_starts_again_at_any_place(photos, first_photo):
    whole = train_batches(photos, 14)
    rest = train_batches(photos, 4, first_photo=first_photo)
    start = first_photo // 10
    assert_equal(whole[start : start + 4], rest)


def test_each_pass_sees_every_photo_once_in_another_order(photos):
    n = len(photos)
    batches = train_batches(photos, 2, batch_size=n, augment=None)
    first, second = (images.reshape(n, -1) for images, _ in batches)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(
        first[np.lexsort(first.T)], second[np.lexsort(second.T)]
    )


def test_passes_see_different_views(photos):
    rows = [dataset.pass_order(3, p, len(photos)) for p in (0, 1)]
    (first, _), (second, _) = train_batches(photos, 2, batch_size=len(photos))
    photo = 7
    views = [
        images[list(order).index(photo)]
        for images, order in zip((first, second), rows, strict=True)
    ]
    assert np.abs(views[0] - views[1]).mean() > 1


def test_orders_are_permutations_pinned_by_seed_and_pass():
    assert dataset.pass_order(0, 0, 10).tolist() == [
        3,
        2,
        9,
        7,
        1,
        5,
        0,
        4,
        8,
        6,
    ]
    assert dataset.pass_order(0, 1, 10).tolist() == [
        4,
        3,
        9,
        7,
        2,
        5,
        1,
        0,
        8,
        6,
    ]


def test_evaluation_sees_every_photo_once_in_order(photos):
    ds = dataset.make_eval_ds(
        photos, resize=keras.layers.Resizing(SIZE, SIZE), batch_size=10
    )
    labels = [y for _, y in ds.as_numpy_iterator()]
    assert [len(y) for y in labels] == [10, 10, 10, 10, 8]
    np.testing.assert_array_equal(np.concatenate(labels), photos.labels)
    assert ds.cardinality() == 5


def test_resizing_equals_tf_image_resize(photos):
    ds = dataset.make_eval_ds(
        photos, resize=keras.layers.Resizing(SIZE, SIZE), batch_size=1
    )
    image = next(ds.as_numpy_iterator())[0][0]
    content = tf.io.decode_jpeg(
        tf.io.read_file(photos.paths[0]), dct_method="INTEGER_ACCURATE"
    )
    np.testing.assert_array_equal(image, tf.image.resize(content, (SIZE, SIZE)))
