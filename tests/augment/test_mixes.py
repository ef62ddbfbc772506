import keras
import numpy as np
import pytest

from augment import Mixes

LABELS = np.arange(8) % 3
ALL = ("randaugment", "mixup", "cutmix")


def make(num_classes=3, seed=0, names=ALL):
    return Mixes(seed, num_classes, **dict.fromkeys(names, True))


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    return rng.uniform(0, 255, (8, 24, 20, 3)).astype("float32")


@pytest.mark.parametrize("name", ALL)
def test_a_batch_is_a_pure_function_of_seed_pass_and_number(images, name):
    expected, targets = make(names=[name])(images, LABELS, 1, 2)
    assert expected.shape == images.shape and expected.dtype == "float32"
    assert not np.array_equal(expected, images)
    assert expected.min() >= 0 and expected.max() <= 255
    mix = make(names=[name])
    mix(images, LABELS, 0, 0)  # those before it do not matter
    again, same = mix(images, LABELS, 1, 2)
    np.testing.assert_array_equal(again, expected)
    np.testing.assert_array_equal(same, targets)
    for other in ((0, 1, 3), (0, 2, 2), (1, 1, 2)):
        seed, *place = other
        changed, _ = make(seed=seed, names=[name])(images, LABELS, *place)
        assert not np.array_equal(changed, expected)


def test_mixup_mixes_labels_as_it_mixes_images(images):
    flat = np.broadcast_to(LABELS[:, None, None, None], images.shape)
    mixed, targets = make(names=["mixup"])(flat.astype("float32"), LABELS, 0, 0)
    assert targets.shape == (8, 3)
    np.testing.assert_allclose(targets.sum(1), 1, atol=1e-6)
    assert ((targets > 0.01) & (targets < 0.99)).any()
    # The brightness of these images is their label.
    brightness = mixed.mean((1, 2, 3))
    np.testing.assert_allclose(brightness, targets @ [0, 1, 2], atol=1e-5)


def test_two_classes_have_one_target(images):
    labels = LABELS % 2
    _, targets = make(2, names=["cutmix"])(images, labels, 0, 0)
    assert targets.shape == (8, 1) and make(2).num_targets == 1
    assert ((targets >= 0) & (targets <= 1)).all()
    assert ((targets > 0) & (targets < 1)).any()


def test_randaugment_leaves_labels_alone(images):
    mix = make(names=["randaugment"])
    _, labels = mix(images, LABELS, 0, 0)
    np.testing.assert_array_equal(labels, LABELS)
    assert mix.num_targets is None


def test_pixels_keep_their_precision_whatever_the_model_computes_in(images):
    expected, _ = make()(images, LABELS, 0, 0)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed, targets = make()(images, LABELS, 0, 0)
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_array_equal(mixed, expected)
    assert mixed.dtype == targets.dtype == "float32"


def test_of_mixup_and_cutmix_each_batch_takes_one(images):
    both = make(names=["mixup", "cutmix"])
    flat = np.broadcast_to(LABELS[:, None, None, None], images.shape)
    has_pieces = [
        np.ptp(both(flat.astype("float32"), LABELS, 0, batch)[0], axis=(1, 2))
        .max(-1)
        .any()
        for batch in range(20)
    ]
    assert 3 < sum(has_pieces) < 17
