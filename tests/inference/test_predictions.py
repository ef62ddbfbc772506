import os
from types import SimpleNamespace

import numpy as np
import pytest

from model_zoo import build_model
from thaw.errors import UserError
from thaw.inference import predictions
from thaw.inference.predictions import Prediction, predict, predict_parts
from thaw.inference.rows import describe

CLASSES = ("cat", "dog", "owl")


@pytest.fixture(scope="module")
def run():
    model = build_model("vgg16_tiny", 3, weights="auto", image_size=48)
    return SimpleNamespace(model=model, class_names=CLASSES, pixel_ranges={})


@pytest.fixture
def mixed_photos(drawn_photos, tmp_path):
    """A folder with four photos, and four files that are none between them."""
    some = sorted(drawn_photos.glob("cat/*.jpg"))[:4]
    for place, photo in enumerate(some):
        os.link(photo, tmp_path / f"{2 * place + 1}.jpg")
        (tmp_path / f"{2 * place}.jpg").write_bytes(b"no photo" * place)
    return tmp_path


def test_predictions_come_in_order_and_bad_photos_say_why(run, mixed_photos):
    found = list(predict(run, mixed_photos, batch_size=2))
    assert [x.path for x in found] == [
        str(mixed_photos / f"{place}.jpg") for place in range(8)
    ]
    assert [x.error for x in found[::2]] == ["empty"] + 3 * ["not an image"]
    assert found[2] == Prediction(found[2].path, error="not an image")
    for prediction in found[1::2]:
        assert prediction.error is None
        assert tuple(prediction.probabilities) == CLASSES
        assert sum(prediction.probabilities.values()) == pytest.approx(1)
        best = max(CLASSES, key=prediction.probabilities.get)
        assert prediction.label == best
        assert prediction.probability == prediction.probabilities[best]
        assert prediction.top[0] == (best, prediction.probability)
        assert dict(prediction.top) == prediction.probabilities


def test_a_photo_that_goes_while_others_are_read_says_so(run, mixed_photos):
    def parts():
        yield [str(mixed_photos / f"{place}.jpg") for place in (1, 3, 5)]

    original = predictions.inspect_in_parts

    def inspect_and_remove(*arguments):
        for photos in original(*arguments):
            (mixed_photos / "3.jpg").unlink()
            yield photos

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predictions, "inspect_in_parts", inspect_and_remove)
        found = list(predict_parts(run, parts()))
    assert [x.error for x in found] == [
        None,
        "No such file or directory",
        None,
    ]


def test_top_lists_the_likeliest_classes(run, drawn_photos):
    photos = [drawn_photos / "cat" / "0000.jpg", str(drawn_photos / "dog")]
    for whole, short in zip(
        predict(run, photos), predict(run, photos, top=2), strict=True
    ):
        assert short.top == whole.top[:2]
        assert short.probabilities == whole.probabilities
        assert describe(short, 2)["top"] == [
            {"class": name, "probability": probability}
            for name, probability in whole.top[:2]
        ]
    for name in ("top", "batch_size"):
        with pytest.raises(UserError, match=f"`{name}` must be at least 1"):
            predict(run, photos, **{name: 0})


def test_photos_are_read_part_by_part(run, drawn_photos):
    paths = list(map(str, sorted(drawn_photos.glob("*/*.jpg"))))
    asked = []

    def parts():
        for start in range(0, 48, 16):
            asked.append(start)
            yield paths[start : start + 16]

    found = predict_parts(run, parts(), batch_size=4)
    assert asked == []
    for number, prediction in enumerate(found):
        assert prediction.path == paths[number]
        assert len(asked) == number // 16 + 1


def test_unknown_photos_are_refused_before_anything_is_read(run, tmp_path):
    with pytest.raises(UserError, match="No photo or folder"):
        predict(run, [tmp_path / "gone.jpg"])


def test_grad_cam_is_of_the_predicted_class(run, drawn_photos):
    from thaw.inference.grad_cam import grad_cam

    photos = sorted(drawn_photos.glob("cat/*.jpg"))[:3]
    heats = predictions.grad_cam(run, photos)
    assert heats.shape == (3, 3, 3) and heats.dtype == "float32"
    # All 0 where nothing speaks for a class, as with a head that is random.
    assert set(heats.max(axis=(1, 2))) == {0, 1} and heats.min() == 0
    batches = []
    parts = [list(map(str, photos))]
    list(predict_parts(run, parts, on_batch=lambda *x: batches.append(x)))
    ((batch, found),) = batches
    classes = np.array([CLASSES.index(x.label) for x in found])
    expected = grad_cam(run.model, batch.images, classes)
    np.testing.assert_array_equal(heats, expected)


def test_grad_cam_needs_every_photo_and_maps(run, mixed_photos):
    with pytest.raises(UserError, match="0.jpg: empty"):
        predictions.grad_cam(run, mixed_photos)
    with pytest.raises(UserError, match="No Grad-CAM: .* has no maps"):
        predictions.grad_cam(
            run, mixed_photos / "1.jpg", layer_name="head_output"
        )
