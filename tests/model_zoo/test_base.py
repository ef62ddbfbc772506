import keras
import numpy as np
import pytest

from model_zoo import build_model
from thaw.errors import UserError


@pytest.fixture(scope="module")
def base_file(tmp_path_factory):
    """A small base as a .keras file of open size, with flip inside."""
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, strides=2, name="conv_a")(
        keras.ops.flip(image, axis=1)
    )
    x = keras.layers.BatchNormalization(name="norm_a")(x)
    x = keras.layers.Conv2D(8, 3, strides=2, name="conv_b")(x)
    path = tmp_path_factory.mktemp("base") / "small.keras"
    keras.Model(image, x, name="small").save(path)
    return path


def build_from(path, **arguments):
    defaults = {
        "preprocess": "rescale",
        "unfreeze_from": "conv_b",
        "image_size": 40,
    }
    return build_model(str(path), **{**defaults, **arguments})


def test_a_backbone_file_brings_its_weights(base_file, images):
    model = build_from(base_file)
    base = keras.saving.load_model(base_file)
    resized = np.array(keras.layers.Resizing(40, 40)(images)) / 255
    features = keras.Model(model.input, model.get_layer("conv_b").output)
    np.testing.assert_allclose(features(images), base(resized), atol=1e-5)
    assert [v.path for v in model.trainable_variables][:2] == [
        "conv_b/kernel",
        "conv_b/bias",
    ]
    random = build_from(base_file, weights="none")
    assert not np.array_equal(
        random.get_layer("conv_b").get_weights()[0],
        base.get_layer("conv_b").get_weights()[0],
    )


def test_a_sequential_file_of_fixed_size_needs_no_image_size(tmp_path, images):
    base = keras.Sequential(
        [keras.Input((48, 48, 3)), keras.layers.Conv2D(4, 3, name="conv")]
    )
    base.save(tmp_path / "fixed.keras")
    model = build_from(
        tmp_path / "fixed.keras", image_size=None, unfreeze_from="conv"
    )
    assert model(images).shape == (4, 1)
    with pytest.raises(UserError, match="takes images of 48x48"):
        build_from(tmp_path / "fixed.keras", unfreeze_from="conv")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"preprocess": "auto"}, "also give `preprocess`"),
        ({"unfreeze_from": None}, "also give `unfreeze_from`"),
        ({"image_size": None}, "also give `image_size`"),
        ({"image_size": 4}, "is `image_size` too small"),
        (
            {"unfreeze_from": "conv_c"},
            "small has no layer .*mean conv_b",
        ),
    ],
)
def test_what_a_backbone_file_leaves_open_must_be_given(
    base_file, arguments, message
):
    with pytest.raises(UserError, match=message):
        build_from(base_file, **arguments)


def test_adapted_normalization_in_a_file_is_kept(tmp_path, images):
    """Its layer computes with copies of its weights."""
    norm = keras.layers.Normalization(name="norm")
    norm.adapt(images)
    base = keras.Sequential(
        [keras.Input((None, None, 3)), norm, keras.layers.Conv2D(4, 3)]
    )
    base.save(tmp_path / "adapted.keras")
    model = build_from(
        tmp_path / "adapted.keras", preprocess="none", unfreeze_from="none"
    )
    keras.Model(model.input, model.output).save(tmp_path / "model.keras")
    reloaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(reloaded(images), model(images), atol=1e-6)
    seen = keras.Model(model.input, model.get_layer("norm").output)(images)
    resized = keras.layers.Resizing(40, 40)(images)
    np.testing.assert_allclose(seen, norm(resized), atol=1e-5)


def test_files_that_are_no_backbone_are_refused(tmp_path, base_file):
    (tmp_path / "text.keras").write_bytes(b"text")
    content = bytearray(base_file.read_bytes())
    content[-3000] ^= 0xFF
    (tmp_path / "flipped.keras").write_bytes(content)
    for name in ("text.keras", "flipped.keras"):
        with pytest.raises(UserError, match="Keras"):
            build_from(tmp_path / name)
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(
        tmp_path / "dense.keras"
    )
    with pytest.raises(UserError, match="not a functional model"):
        build_from(tmp_path / "dense.keras")


@pytest.mark.parametrize("name", ["resize", "head_conv"])
def test_layers_with_names_of_ours_are_refused(tmp_path, name):
    base = keras.Sequential(
        [keras.Input((None, None, 3)), keras.layers.Conv2D(4, 3, name=name)]
    )
    base.save(tmp_path / "clash.keras")
    with pytest.raises(UserError, match=f"a layer called '{name}'"):
        build_from(tmp_path / "clash.keras", unfreeze_from="all")


def test_the_shared_backbones_give_their_own_features(shared, images):
    for name, mode, layer in [
        ("squeezenet", "caffe", "fire9_concat"),
        ("mobilenet_to_conv_pw_12", "tf", "conv_pw_12_relu"),
    ]:
        path = shared / "backbones" / f"{name}.keras"
        model = build_model(
            str(path), preprocess=mode, image_size=64, unfreeze_from="none"
        )
        base = keras.saving.load_model(path)
        expected = base(
            keras.src.applications.imagenet_utils.preprocess_input(
                np.array(keras.layers.Resizing(64, 64)(images)),
                data_format="channels_last",
                mode=mode,
            )
        )
        features = keras.Model(model.input, model.get_layer(layer).output)
        np.testing.assert_allclose(features(images), expected, atol=1e-4)
