"""The head of a model that goes on with other classes."""

import json
import shutil
import unicodedata
import zipfile

import keras
import numpy as np
import pytest

from model_zoo import build_model
from model_zoo.continued import fit_rows
from model_zoo.own_model import find_own_model, keep_order
from tests.support import format1
from thaw.errors import UserError

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(50, 6)).astype("float32")
SIGMOID = RNG.normal(size=(6, 1)).astype("float32"), np.array([0.3], "float32")
SOFTMAX = (
    RNG.normal(size=(6, 3)).astype("float32"),
    np.array([0.5, -1.0, 2.0], "float32"),
)


def probabilities(kernel, bias, features=FEATURES):
    logits = (features @ kernel + bias).astype("float64")
    if logits.shape[1] == 1:
        logits = np.pad(logits, [(0, 0), (1, 0)])
    exponents = np.exp(logits)
    return exponents / exponents.sum(axis=1, keepdims=True)


def test_the_same_classes_keep_the_same_rows():
    for rows, names in (SIGMOID, ("a", "b")), (SOFTMAX, ("a", "b", "c")):
        fitted = fit_rows(*rows, names, dict.fromkeys(names, 7))
        for before, after in zip(rows, fitted, strict=True):
            np.testing.assert_array_equal(after, before)


def test_a_sigmoid_becomes_the_rows_0_and_w():
    kernel, bias = fit_rows(*SIGMOID, ("a", "b"), {"a": 6, "b": 2, "c": 4})
    expected = np.concatenate([0 * SIGMOID[0], SIGMOID[0], 0 * SIGMOID[0]], 1)
    np.testing.assert_array_equal(kernel, expected)
    np.testing.assert_array_equal(bias[:2], [0, np.float32(0.3)])
    with_new, before = probabilities(kernel, bias), probabilities(*SIGMOID)
    of_old = with_new[:, :2] / with_new[:, :2].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(of_old, before, rtol=1e-6)


def test_a_new_class_has_its_share_where_the_features_say_nothing():
    counts = {"b": 30, "a": 10, "new": 20, "newer": 40}  # c is gone
    kernel, bias = fit_rows(*SOFTMAX, ("a", "b", "c"), counts)
    np.testing.assert_array_equal(kernel[:, 0], SOFTMAX[0][:, 1])
    np.testing.assert_array_equal(kernel[:, 1], SOFTMAX[0][:, 0])
    assert not kernel[:, 2:].any()
    (shares,) = probabilities(kernel, bias, np.zeros((1, 6), "float32"))
    np.testing.assert_allclose(shares[2:], [0.2, 0.4], rtol=1e-6)
    np.testing.assert_allclose(shares[0] / shares[1], np.exp(-1.5), rtol=1e-6)


def test_classes_that_are_all_new_have_the_log_prior():
    kernel, bias = fit_rows(*SIGMOID, ("a", "b"), {"x": 1, "y": 2, "z": 5})
    assert kernel.shape == (6, 3) and not kernel.any()
    np.testing.assert_allclose(np.exp(bias), [1 / 8, 2 / 8, 5 / 8], rtol=1e-6)


def test_two_of_three_classes_become_a_sigmoid():
    kernel, bias = fit_rows(*SOFTMAX, ("a", "b", "c"), {"a": 1, "c": 9})
    assert kernel.shape == (6, 1) and bias.shape == (1,)
    of_two = probabilities(*SOFTMAX)[:, [0, 2]]
    np.testing.assert_allclose(
        probabilities(kernel, bias),
        of_two / of_two.sum(axis=1, keepdims=True),
        rtol=1e-5,
    )


def test_classes_match_in_any_form_of_unicode_and_keep_their_order():
    nfc, nfd = (unicodedata.normalize(x, "caf\u00e9") for x in ("NFC", "NFD"))
    assert nfc != nfd
    assert keep_order(["z", nfd, "gone"], ["a", nfc, "b", "z"]) == (
        ["z", nfc, "a", "b"]
    )
    kernel, _ = fit_rows(*SIGMOID, (nfd, "z"), {"z": 1, nfc: 1, "new": 1})
    np.testing.assert_array_equal(kernel[:, :1], SIGMOID[0])


def test_a_run_or_its_file_is_opened_as_it_is(trained_run, images):
    before = keras.saving.load_model(trained_run / "model.keras")
    for backbone in (trained_run, trained_run / "model.keras"):
        model = build_model(backbone, unfreeze_from="block4_conv1")
        np.testing.assert_array_equal(model(images), before(images))
        assert [x.name for x in model.layers] == [x.name for x in before.layers]
        assert model.trainable_variables[0].path == "block4_conv1/kernel"
    own = find_own_model(str(trained_run))
    assert own.class_names == ("cat", "dog") and own.name == "vgg16_tiny"
    assert own.options == {
        "image_size": 48,
        "resize": "squash",
        "pooling": "flatten",
        "hidden_units": 256,
        "dropout": 0.5,
    }


def test_a_class_more_leaves_the_others_as_they_were(trained_run, images):
    before = keras.saving.load_model(trained_run / "model.keras")
    model = build_model(
        trained_run, 3, class_counts={"cat": 20, "dog": 20, "ant": 10}
    )
    cat, dog, ant = model(images).numpy().T
    np.testing.assert_allclose(
        dog / (cat + dog), before(images)[:, 0], rtol=1e-5
    )
    assert (ant > 0).all()
    assert model.loss == "sparse_categorical_crossentropy"


def test_cut_at_a_layer_it_gets_a_new_head(trained_run, images):
    before = keras.saving.load_model(trained_run / "model.keras")
    model = build_model(
        trained_run, 4, cut_at="block4_pool", unfreeze_from="none",
        hidden_units=0, dropout=0.0,
    )  # fmt: skip
    assert [x.name for x in model.layers][-3:] == [
        "block4_pool", "head_flatten", "head_output",
    ]  # fmt: skip
    features = keras.Model(before.input, before.get_layer("block4_pool").output)
    got = keras.Model(model.input, model.get_layer("block4_pool").output)
    np.testing.assert_array_equal(got(images), features(images))


def test_it_computes_in_the_precision_of_now(trained_run):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build_model(trained_run)
    finally:
        keras.config.set_dtype_policy(policy)
    assert model.get_layer("block1_conv1").compute_dtype == "bfloat16"
    for name in ("resize", "preprocess", "head_output"):
        assert model.get_layer(name).compute_dtype == "float32"


def test_a_run_of_format_1_goes_on(tmp_path, images):
    run_dir = format1.lay_out("complete", tmp_path)
    before = keras.saving.load_model(run_dir / "model.keras")
    model = build_model(run_dir, unfreeze_from="all")
    np.testing.assert_array_equal(model(images), before(images))


def change_config(path, change):
    """Changes config.json of a `.keras` file."""
    with zipfile.ZipFile(path) as archive:
        content = {x: archive.read(x) for x in archive.namelist()}
    config = json.loads(content["config.json"])
    change({x["name"]: x["config"] for x in config["config"]["layers"]})
    content["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in content.items():
            archive.writestr(name, text)


@pytest.fixture
def copied(trained_run, tmp_path):
    """A folder with a model and its class names, to be changed."""
    for name in ("model.keras", "class_names.json"):
        shutil.copy(trained_run / name, tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 3}, "expected `num_classes=2`, for cat, dog"),
        ({"image_size": 64}, "takes images of 48 pixels"),
        ({"preprocess": "tf"}, "preprocesses raw photos itself"),
        ({"weights": "none"}, "drop `weights=none`"),
        ({"unfreeze_from": "block9"}, "has no layer 'block9'"),
        ({"cut_at": "block9"}, "has no layer 'block9' to cut at"),
    ],
)
def test_what_contradicts_the_model_is_refused(copied, arguments, message):
    with pytest.raises(UserError, match=message):
        build_model(copied, **arguments)


def test_folders_and_files_of_others_are_refused(copied):
    (copied / "class_names.json").write_text('["cat", "dog", "eel"]')
    with pytest.raises(UserError, match="has 2 classes, and 3 class names"):
        build_model(copied)
    (copied / "class_names.json").write_text('["cat", "\\u001b[2J"]')
    with pytest.raises(UserError, match="Cannot read the class names"):
        build_model(copied)
    (copied / "class_names.json").unlink()
    assert find_own_model(str(copied)).class_names == ("cat", "dog")

    def relu(layers):
        layers["head_output"]["activation"] = "relu"

    change_config(copied / "model.keras", relu)
    with pytest.raises(UserError, match="its last layer has no sigmoid"):
        build_model(copied)

    def without_height(layers):
        layers["resize"].pop("height")

    change_config(copied / "model.keras", without_height)
    with pytest.raises(UserError, match="it lacks 'height'"):
        build_model(copied)
    (copied / "model.keras").unlink()
    with pytest.raises(UserError, match="a folder without model.keras"):
        build_model(copied)
    with pytest.raises(UserError, match="no run folder or file runs/nope"):
        build_model("runs/nope")
