import threading

import keras
import pytest

from model_zoo import BACKBONES, build_model
from model_zoo.boundary import split
from model_zoo.names import fresh_names
from thaw.cache.key import cache_key


def facts(model, first):
    """Returns all that names of layers are part of."""
    frozen, trained = split(model, model.get_layer(first))
    key = cache_key(
        frozen,
        photos="a hash",
        augment="none",
        dtype="float16",
        batch_size=20,
        device="CPU",
    )
    paths = [variable.path for variable in model.variables]
    return key, model.to_json(), frozen.to_json(), trained.to_json(), paths


def check_built_twice(backbone, first, **arguments):
    built = []
    for _ in range(2):
        keras.utils.set_random_seed(0)
        model = build_model(
            backbone, weights="none", unfreeze_from=first, **arguments
        )
        built.append(facts(model, first))
        keras.Sequential([keras.layers.Rescaling(2.0), keras.layers.Dense(1)])
    assert built[0] == built[1]


@pytest.mark.parametrize("name", ["efficientnetb0", "convnexttiny"])
def test_models_built_one_after_the_other_are_named_alike(name):
    check_built_twice(name, BACKBONES[name].last_block, image_size=64)


def test_so_are_those_of_files(tmp_path):
    image = keras.Input((40, 40, 3))
    x = keras.layers.Conv2D(4, 3)(keras.ops.flip(image, axis=1))
    x = keras.layers.Conv2D(4, 3, name="last")(keras.layers.ReLU()(x))
    keras.Model(image, x).save(tmp_path / "base.keras")
    check_built_twice(tmp_path / "base.keras", "last", preprocess="torch")


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("squeezenet", "fire9_squeeze1x1"),
        ("mobilenet_to_conv_pw_12", "conv_pw_12"),
    ],
)
def test_so_are_those_of_real_files(shared, name, first):
    path = shared / "backbones" / f"{name}.keras"
    check_built_twice(path, first, preprocess="caffe", image_size=96)


def test_operations_of_a_file_keep_their_names(tmp_path):
    """`caffe` flips channels with an operation that Keras calls flip, too."""
    with fresh_names():
        image = keras.Input((40, 40, 3))
        x = keras.ops.flip(image, axis=1)
        x = keras.ops.flip(x, axis=2)
        x = keras.layers.Conv2D(4, 3, name="conv")(x)
        keras.Model(image, x).save(tmp_path / "base.keras")
    model = build_model(
        tmp_path / "base.keras",
        weights="none",
        preprocess="caffe",
        unfreeze_from="conv",
    )
    names = [x.name for x in model.operations if "flip" in x.name]
    assert names == ["flip_2", "flip", "flip_1"]


def test_keras_goes_on_numbering_afterwards():
    before = keras.layers.Dense(1).name
    with pytest.raises(ZeroDivisionError), fresh_names():
        assert keras.layers.Dense(1).name == "dense"
        assert keras.layers.Dense(1).name == "dense_1"
        raise ZeroDivisionError
    number = int(before.partition("_")[2] or 0)
    assert keras.layers.Dense(1).name == f"dense_{number + 1}"


def test_other_threads_are_left_alone():
    names = []

    def build():
        names.append(keras.layers.Dense(1).name)
        entered.wait()
        names.append(keras.layers.Dense(1).name)

    entered = threading.Event()
    thread = threading.Thread(target=build)
    thread.start()
    with fresh_names():
        entered.set()
        thread.join()
        assert keras.layers.Dense(1).name == "dense"
    assert names == ["dense", "dense_1"]
