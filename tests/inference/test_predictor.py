import os

import keras
import numpy as np
import pytest

from model_zoo import build_model
from tests.support.deep import grey_file
from thaw.data import files
from thaw.data.inspect import inspect_photos
from thaw.data.inspector import Inspector
from thaw.data.photos import Photos
from thaw.inference.predictor import Predictor, inspect_in_parts
from thaw.pixel_range import PixelRange


@pytest.fixture(scope="module")
def model():
    return build_model("vgg16_tiny", 3, weights="auto", image_size=48)


def inspect(paths):
    return inspect_photos(Photos.unlabelled(paths))


@pytest.fixture(scope="module")
def checked(drawn_photos):
    return inspect(files.find_photos(drawn_photos))


def test_batches_hold_every_photo_once(model, checked):
    batches = list(Predictor(model, batch_size=20).predict(checked))
    assert [len(batch.rows) for batch in batches] == [20, 20, 8]
    rows = np.concatenate([batch.rows for batch in batches])
    np.testing.assert_array_equal(rows, np.arange(48))
    images = np.stack(
        [keras.utils.img_to_array(keras.utils.load_img(checked.paths[7]))]
    )
    np.testing.assert_allclose(
        batches[0].outputs.probabilities[7],
        model.predict_on_batch(images)[0],
        atol=1e-5,
    )


@pytest.mark.parametrize("number", [1, 2, 3, 5, 31])
def test_nothing_depends_on_the_photos_beside(model, checked, number):
    (expected,) = Predictor(model, batch_size=64).predict(checked)
    some = checked.take(np.arange(40, 40 - number, -1))
    (found,) = Predictor(model).predict(some)
    np.testing.assert_allclose(
        found.outputs.probabilities,
        expected.outputs.probabilities[40 : 40 - number : -1],
        rtol=0,
        atol=1e-6,
    )


def test_one_sigmoid_unit_gives_two_columns(checked):
    model = build_model("vgg16_tiny", 2, weights="auto", image_size=48)
    for batch in Predictor(model).predict(checked):
        probabilities = batch.outputs.probabilities
        assert probabilities.dtype == "float32"
        assert probabilities.shape[1] == 2
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_photos_that_are_bad_or_go_are_left_out(model, drawn_photos, tmp_path):
    photos = sorted((drawn_photos / "cat").iterdir())[:6]
    paths = [str(tmp_path / photo.name) for photo in photos]
    for photo, path in zip(photos, paths, strict=True):
        os.link(photo, path)
    (tmp_path / "empty.jpg").touch()
    checked = inspect([str(tmp_path / "empty.jpg"), *paths])
    os.unlink(paths[1])
    os.unlink(paths[4])
    with open(paths[4], "w") as file:
        file.write("no photo")
    (batch,) = Predictor(model).predict(checked)
    assert batch.rows.tolist() == [1, 3, 4, 6]
    assert batch.images.shape == (4, 48, 48, 3)
    assert batch.outputs.probabilities.shape == (4, 3)
    empty, (gone, why_gone), (changed, why_changed) = batch.bad
    assert empty == (0, "empty")
    assert (gone, why_gone) == (2, "No such file or directory")
    assert changed == 5
    assert why_changed.startswith("changed while it was read")


def test_photos_are_read_by_the_ranges_of_the_run(model, tmp_path):
    numbers = np.tile(np.arange(48, dtype="uint16") * 20, (48, 1))
    (tmp_path / "1.png").write_bytes(grey_file(numbers, "PNG"))
    ranges = {"integer": PixelRange(0, 1023)}
    for known in (ranges, {}):
        parts = [[str(tmp_path / "1.png")]]
        with Inspector(10**6) as inspector:
            (photos,) = inspect_in_parts(parts, inspector, 10**6, known)
        (batch,) = Predictor(model, pixel_ranges=known).predict(photos)
        if not known:  # trained on 8 bits: are they 10 bits, or dark?
            ((_, reason),) = batch.bad
            assert reason.startswith("integer samples, unlike the training")
            continue
        levels = (numbers * (255 / 1023)).round()
        np.testing.assert_array_equal(batch.images[0, ..., 0], levels)


def test_parts_are_asked_for_one_at_a_time(drawn_photos):
    paths = files.find_photos(drawn_photos)
    asked = []

    def parts():
        for start in range(0, len(paths), 16):
            asked.append(start)
            yield paths[start : start + 16]

    with Inspector(10**6) as inspector:
        inspected = inspect_in_parts(parts(), inspector, 10**6)
        for number, part in enumerate(inspected):
            assert asked == [16 * i for i in range(number + 1)]
            assert [x.reason for x in part.inspections] == [None] * 16
    assert number == 2


def test_all_photos_of_a_batch_may_be_gone(model, drawn_photos, tmp_path):
    path = str(tmp_path / "1.jpg")
    os.link(drawn_photos / "cat" / "0000.jpg", path)
    checked = inspect([path])
    os.unlink(path)
    (batch,) = Predictor(model).predict(checked)
    assert batch.rows.tolist() == []
    assert batch.outputs.probabilities.shape == (0, 3)
