import keras
import numpy as np
import pytest
import tensorflow as tf

from augment import Affine
from thaw.data.load import load_photos
from thaw.data.views import PhotoViews, pass_order

SIZE = 32


@pytest.fixture(scope="module")
def photos(drawn_photos):
    return load_photos(drawn_photos)[0]


def make_views(photos, **arguments):
    resize = keras.layers.Resizing(SIZE, SIZE)
    return PhotoViews(photos, resize, SIZE, **arguments)


def images(views, view, rows=None, batch_size=10):
    rows = np.arange(len(views.photos)) if rows is None else rows
    return list(views.images(view, rows, batch_size).as_numpy_iterator())


def test_images_are_raw_rgb_in_batches(photos):
    batches = images(make_views(photos, seed=3, augment=Affine(seed=3)), 0)
    assert [len(batch) for batch in batches] == [10, 10, 10, 10, 8]
    assert batches[0].shape == (10, SIZE, SIZE, 3)
    assert batches[0].dtype == "float32"
    assert batches[0].min() >= 0 and batches[0].max() > 100


def test_a_view_of_a_photo_depends_on_nothing_else(photos):
    """Bit for bit: not on the batch, the other rows or the threads."""
    views = make_views(photos, seed=3, augment=Affine(seed=3))
    whole = np.concatenate(images(views, 5))
    rows = np.array([40, 3, 17])
    again = make_views(photos, seed=4, augment=Affine(seed=3))
    ds = again.images(5, rows, 2)
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    some = list(ds.with_options(options).as_numpy_iterator())
    np.testing.assert_array_equal(np.concatenate(some), whole[rows])


def test_views_differ_by_number_and_by_seed(photos):
    views = make_views(photos, seed=3, augment=Affine(seed=3))
    other_seed = make_views(photos, seed=3, augment=Affine(seed=4))
    ((first, *_),) = images(views, 0, rows=[7])
    for other, *_ in (
        images(views, 1, rows=[7])[0],
        images(other_seed, 0, rows=[7])[0],
    ):
        assert np.abs(first - other).mean() > 1


def test_an_augmented_view_is_the_warp_of_the_photo(photos):
    augment = Affine(seed=3)
    plain = np.concatenate(images(make_views(photos), 2))
    views = np.concatenate(images(make_views(photos, augment=augment), 2))
    parameters = augment.parameters(2, range(len(photos)), (SIZE, SIZE))
    np.testing.assert_allclose(views, augment(plain, parameters), atol=0.01)


def test_without_a_seed_the_order_is_that_of_the_photos(photos):
    np.testing.assert_array_equal(make_views(photos).order(3), np.arange(48))


def test_orders_of_passes_are_permutations(photos):
    views = make_views(photos, seed=3)
    first, second = views.order(0), views.order(1)
    assert sorted(first) == sorted(second) == list(range(48))
    assert list(first) != list(second)


def test_orders_are_permutations_pinned_by_seed_and_pass():
    assert pass_order(0, 0, 10).tolist() == [
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
    assert pass_order(0, 1, 10).tolist() == [
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


def test_resizing_equals_tf_image_resize(photos):
    ((image,),) = images(make_views(photos), 0, rows=[0])
    content = tf.io.decode_jpeg(
        tf.io.read_file(photos.paths[0]), dct_method="INTEGER_ACCURATE"
    )
    np.testing.assert_array_equal(image, tf.image.resize(content, (SIZE, SIZE)))
