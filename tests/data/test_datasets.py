import shutil

import keras
import numpy as np
import pytest

from augment import Affine
from tests.support.examples import run_example
from thaw.data import datasets
from thaw.data.load import load_photos
from thaw.data.split import stratified_rows
from thaw.data.views import PhotoViews
from thaw.errors import UserError

SIZE = 32


def batches(ds):
    return list(ds.as_numpy_iterator())


@pytest.fixture
def pair(drawn_photos):
    return datasets.image_datasets(
        drawn_photos, image_size=SIZE, batch_size=10, seed=3
    )


def test_image_datasets_hold_every_photo_once(pair, drawn_photos):
    train_ds, val_ds, class_names = pair
    assert class_names == ("cat", "dog")
    assert [len(ds) for ds in (train_ds, val_ds)] == [4, 1]
    images, labels = zip(*batches(train_ds), strict=True)
    assert [x.shape for x in images] == [
        *3 * [(10, SIZE, SIZE, 3)],
        (8, SIZE, SIZE, 3),
    ]
    assert images[0].dtype == "float32" and labels[0].dtype == "int32"
    assert np.bincount(np.concatenate(labels)).tolist() == [19, 19]
    ((val_images, val_labels),) = batches(val_ds)
    assert val_labels.tolist() == 5 * [0] + 5 * [1]
    assert 0 <= val_images.min() and val_images.max() > 100


def test_image_datasets_are_the_views_of_a_run(pair, drawn_photos):
    """Of the same split, order and passes."""
    photos, _ = load_photos(drawn_photos)
    rows, val_rows = stratified_rows(photos, 0.2, seed=3)
    resize = keras.layers.Resizing(SIZE, SIZE)
    views = PhotoViews(photos.take(rows), resize, SIZE, 3, Affine(3))
    val_views = PhotoViews(photos.take(val_rows), resize, SIZE)
    for pass_index in range(2):
        for ds, of_split in zip(pair, (views, val_views), strict=False):
            order = of_split.order(pass_index)
            for (images, labels), expected, some in zip(
                batches(ds),
                of_split.images(pass_index, order, 10).as_numpy_iterator(),
                np.split(order, range(10, len(order), 10)),
                strict=True,
            ):
                np.testing.assert_array_equal(images, expected)
                np.testing.assert_array_equal(labels, of_split.labels[some])


def test_options_choose_the_photos(drawn_photos):
    *both, _ = datasets.image_datasets(
        drawn_photos,
        image_size=8,
        validation_fraction=0.5,
        limit=12,
        group_regex=r"/00.(\d)",
    )
    counts = [sum(len(x) for _, x in batches(ds)) for ds in both]
    assert sum(counts) == 24
    with pytest.raises(UserError, match="Unknown option `epochs`"):
        datasets.image_datasets(drawn_photos, image_size=8, epochs=3)


def test_a_look_at_one_batch_is_no_pass(pair):
    ((first, _),) = batches(pair[0].take(1))
    np.testing.assert_array_equal(batches(pair[0])[0][0], first)
    assert np.abs(batches(pair[0])[0][0] - first).mean() > 1


def test_each_epoch_of_fit_is_the_next_pass(pair, drawn_photos):
    """Whatever Keras iterates besides, e.g. to build a model."""
    seen = []

    class Mean(keras.layers.Layer):
        def call(self, images, training=False):
            means = keras.ops.mean(images, axis=(1, 2))
            if training:
                seen.append(np.mean(means))
            return means

    model = keras.Sequential([Mean(), keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer="sgd", run_eagerly=True)
    model.fit(pair[0], validation_data=pair[1], epochs=3, verbose=0)
    again, *_ = datasets.image_datasets(
        drawn_photos, image_size=SIZE, batch_size=10, seed=3
    )
    expected = [x.mean() for _ in range(3) for x, _ in batches(again)]
    np.testing.assert_allclose(seen, expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["crop", "presize", "flip_rotate", "none"])
def test_any_augmentation_makes_views_of_the_size(drawn_photos, name):
    train_ds, *_ = datasets.image_datasets(
        drawn_photos, image_size=SIZE, batch_size=38, augment=name
    )
    ((first, _),), ((second, _),) = batches(train_ds), batches(train_ds)
    assert first.shape == second.shape == (38, SIZE, SIZE, 3)


def test_mistakes_in_options_are_named(drawn_photos, tmp_path):
    for options, message in (
        ({"image_size": 0}, "`image_size` must be an integer"),
        ({"augment": "afine"}, "`augment` must be one of affine, crop"),
        ({"validation_fraction": 1.5}, "`validation_fraction` must be"),
    ):
        with pytest.raises(UserError, match=message):
            datasets.image_datasets(
                drawn_photos, **{"image_size": SIZE} | options
            )


def test_unreadable_photos_are_skipped(drawn_photos, tmp_path, capsys):
    data = shutil.copytree(drawn_photos, tmp_path / "data")
    (data / "cat" / "bad.jpg").touch()
    train_ds, val_ds, _ = datasets.image_datasets(data, image_size=SIZE)
    labels = [labels for ds in (train_ds, val_ds) for _, labels in batches(ds)]
    assert sum(map(len, labels)) == 48
    error = capsys.readouterr().err
    assert error.startswith("1 of 49 photos cannot be used:\n")
    assert error.endswith("bad.jpg: empty\nThey are skipped.\n")


@pytest.mark.slow
def test_the_example_of_image_datasets_runs():
    variables = run_example(datasets.image_datasets)
    assert variables["class_names"] == ("cat", "dog")
