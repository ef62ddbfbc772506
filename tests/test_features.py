import numpy as np
import tensorflow as tf

from model_zoo import build_model
from model_zoo.boundary import split
from training.features import frozen_features, make_features_ds


def photos_ds(images, batch_size):
    labels = np.arange(len(images), dtype="int32")
    return tf.data.Dataset.from_tensor_slices((images, labels)).batch(
        batch_size
    )


def test_features_do_not_depend_on_how_full_a_batch_is(images):
    """Bit for bit: short batches are padded, then cut back."""
    model = build_model("vgg16_tiny", weights="auto")
    frozen, _ = split(model, model.get_layer("block5_conv1"))
    batches = list(make_features_ds(frozen, photos_ds(images, 3), 3))
    assert [len(labels) for _, labels in batches] == [3, 1]
    (alone,), _ = batches[1]
    for position in range(3):
        padded = np.zeros_like(images[:3])
        padded[position] = images[3]
        (together,) = frozen_features(frozen, padded, 3)
        np.testing.assert_array_equal(alone[0], together[position])


def test_features_know_their_number_of_batches(images):
    model = build_model("vgg16_tiny", weights="none")
    frozen, _ = split(model, model.get_layer("block5_conv1"))
    ds = photos_ds(images, 3)
    assert make_features_ds(frozen, ds, 3).cardinality() == 2
    endless = ds.repeat()
    assert make_features_ds(frozen, endless, 3).cardinality() < 0


def test_a_boundary_of_several_tensors_and_no_dropout(images):
    model = build_model("efficientnetb0", weights="none", image_size=64)
    layer = model.get_layer("block6c_project_bn")
    frozen, trained = split(model, layer)
    assert len(frozen.outputs) > 1
    features, _ = next(iter(make_features_ds(frozen, photos_ds(images, 4), 4)))
    np.testing.assert_array_equal(
        trained.predict_on_batch(list(features)), model.predict_on_batch(images)
    )
