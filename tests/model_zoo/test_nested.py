"""Backbone files that hold a model as one layer, or are whole classifiers."""

import keras
import numpy as np
import pytest
from keras import layers

from model_zoo import build_model, listing
from model_zoo.backbone_file import read_backbone_file
from thaw.errors import UserError


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """Path of a classifier as the Keras guide on transfer learning has it."""
    image = keras.Input((40, 40, 3))
    x = layers.Conv2D(4, 3, strides=2, name="conv_a")(image)
    x = layers.BatchNormalization(name="norm_a")(x)
    x = layers.Conv2D(8, 3, strides=2, name="conv_b")(x)
    inner = keras.Model(image, layers.ReLU(name="relu_b")(x), name="base")
    outer = keras.Input((40, 40, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1, name="scale")(outer)
    x = inner(x, training=False)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(3, activation="softmax", name="classes")(x)
    path = tmp_path_factory.mktemp("nested") / "flowers.keras"
    keras.Model(outer, x).save(path)
    return str(path)


@pytest.mark.parametrize(
    ("cut_at", "unfreeze_from", "last"),
    [
        ("base", "none", "base"),
        ("base", "base", "base"),
        ("base", "conv_b", "relu_b"),
        ("relu_b", "conv_b", "relu_b"),
        ("conv_b", "none", "conv_b"),
    ],
)
def test_it_is_cut_at_the_model_or_inside_it(
    classifier, images, cut_at, unfreeze_from, last
):
    model = build_model(
        classifier, cut_at=cut_at, unfreeze_from=unfreeze_from, hidden_units=0
    )
    names = [layer.name for layer in model.layers]
    assert names[:3] == ["image", "resize", "scale"]
    assert names[names.index("head_avg") - 1] == last
    source = keras.saving.load_model(classifier)
    inner = source.get_layer("base")
    if cut_at == "conv_b":
        inner = keras.Model(inner.input, inner.get_layer("conv_b").output)
    resized = np.array(layers.Resizing(40, 40)(images))
    got = keras.Model(model.input, model.get_layer("head_avg").input)(images)
    np.testing.assert_allclose(got, inner(resized / 127.5 - 1), atol=1e-5)
    trained = [x.path.split("/")[-2] for x in model.trainable_variables]
    expected = {"none": [], "base": ["conv_a"] * 2 + ["conv_b"] * 2}
    assert trained[:-2] == expected.get(unfreeze_from, ["conv_b"] * 2)


def test_a_whole_classifier_is_said_with_the_layer_to_cut_at(
    classifier, tmp_path
):
    message = "flowers.keras is a whole classifier: .*'classes'.*`cut_at=base`"
    with pytest.raises(UserError, match=message) as error:
        build_model(classifier, preprocess="tf", unfreeze_from="none")
    assert "\n" not in str(error.value)
    plain = keras.Sequential(
        [
            keras.Input((40, 40, 3)),
            layers.Conv2D(4, 3, activation="relu", name="conv"),
            layers.Flatten(),
            layers.Dense(8, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    plain.save(tmp_path / "plain.keras")
    with pytest.raises(UserError, match="`cut_at=conv`"):
        build_model(tmp_path / "plain.keras")
    # Asked for, it is a base like any other.
    model = build_model(
        classifier, cut_at="classes", unfreeze_from="none", hidden_units=0
    )
    assert model.get_layer("head_output").input.shape == (None, 3)


def test_raw_photos_are_scaled_once(classifier, tmp_path):
    with pytest.raises(
        UserError, match="its layer 'scale': drop `preprocess=t"
    ):
        build_model(
            classifier, cut_at="base", preprocess="tf", unfreeze_from="none"
        )
    model = keras.Sequential(
        [
            keras.Input((40, 40, 3)),
            layers.Rescaling(2.0, offset=-1),  # of what is in [0, 1]
            layers.Conv2D(4, 3),
        ]
    )
    model.save(tmp_path / "from_0_to_1.keras")
    found = read_backbone_file(str(tmp_path / "from_0_to_1.keras"))
    assert found == (False, None, None, None)
    build_model(
        tmp_path / "from_0_to_1.keras",
        preprocess="rescale",
        unfreeze_from="none",
    )


def test_the_layers_inside_are_listed(classifier):
    table = listing.list_layers(
        backbone=classifier, image_size=None, preprocess="auto",
        unfreeze_from=None, cut_at=None, train_batch_norm=False,
    )  # fmt: skip
    names = [line.split()[0] for line in table.splitlines()[2:]]
    assert names == [
        "scale", "base", "conv_a", "norm_a", "conv_b", "relu_b", "pool",
        "classes",
    ]  # fmt: skip


def test_a_name_that_is_inside_and_outside_is_said(tmp_path):
    inner = keras.Sequential(
        [layers.Conv2D(3, 3, name="conv"), layers.ReLU(name="relu")],
        name="base",
    )
    image = keras.Input((40, 40, 3))
    outer = layers.Conv2D(3, 3, name="conv")(inner(image))
    keras.Model(image, outer).save(tmp_path / "twice.keras")
    with pytest.raises(UserError, match="inside 'base' of twice .*\"conv\""):
        build_model(
            tmp_path / "twice.keras", preprocess="tf", unfreeze_from="relu"
        )
