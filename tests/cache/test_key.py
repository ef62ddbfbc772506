import keras
import pytest

from model_zoo import build_model
from model_zoo.boundary import split
from thaw.cache import key as module
from thaw.cache.key import cache_key

FACTS = {
    "photos": "12ab",
    "augment": "Affine(seed=0)",
    "dtype": "float16",
    "batch_size": 20,
    "device": "CPU (2 cores, no GPU found)",
}


def make_frozen(unfreeze_from="block5_conv1", **arguments):
    keras.utils.clear_session()  # names are counted, and are in the key
    arguments = {"image_size": 32, "weights": "auto", **arguments}
    model = build_model("vgg16_tiny", unfreeze_from=unfreeze_from, **arguments)
    return split(model, model.get_layer(unfreeze_from))[0]


@pytest.fixture(scope="module")
def frozen():
    return make_frozen()


@pytest.fixture(scope="module")
def key(frozen):
    return cache_key(frozen, **FACTS)


def test_the_same_facts_give_the_same_key(key):
    assert cache_key(make_frozen(), **FACTS) == key
    assert len(key) == 32 and set(key) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    "changed",
    [
        {"image_size": 48},
        {"resize": "crop"},
        {"preprocess": "torch"},
        {"weights": "none"},
        {"unfreeze_from": "block4_conv1"},
    ],
    ids=str,
)
def test_another_frozen_part_gives_another_key(key, changed):
    assert cache_key(make_frozen(**changed), **FACTS) != key


@pytest.mark.parametrize(
    "changed",
    [
        {"photos": "34cd"},
        {"augment": "Affine(seed=1)"},
        {"augment": "None"},
        {"dtype": "float32"},
        {"batch_size": 21},
        {"device": "GPU (NVIDIA L4)"},
    ],
    ids=str,
)
def test_another_fact_gives_another_key(frozen, key, changed):
    assert cache_key(frozen, **{**FACTS, **changed}) != key


def test_one_weight_that_differs_gives_another_key(key):
    frozen = make_frozen()
    kernel = frozen.get_layer("block4_conv3").kernel
    value = kernel.numpy()
    value[0, 0, 0, 0] += 1e-3
    kernel.assign(value)
    assert cache_key(frozen, **FACTS) != key


@pytest.mark.parametrize("library", ["tf", "keras", "np"])
def test_another_version_gives_another_key(frozen, key, library, monkeypatch):
    monkeypatch.setattr(getattr(module, library), "__version__", "9.9.9")
    assert cache_key(frozen, **FACTS) != key


def test_another_onednn_setting_gives_another_key(frozen, key, monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    assert cache_key(frozen, **FACTS) != key


def test_each_number_of_the_augmentation_is_in_its_text():
    from augment import Affine

    texts = {
        repr(Affine(seed=0, **changed))
        for changed in (
            {},
            {"rotation_range": 1},
            {"width_shift_range": 0.1},
            {"height_shift_range": 0.1},
            {"shear_range": 1},
            {"zoom_range": 0.1},
            {"horizontal_flip": False},
            {"fill_mode": "wrap"},
        )
    }
    assert len(texts) == 8
