import ast
import functools
import importlib.util
import inspect
import sys
from pathlib import Path

import pytest

from model_zoo.safe_loading.allowlist import check_config
from model_zoo.safe_loading.hub_layers import HUB_BACKBONES, HUB_LAYERS
from tests.support.paths import ROOT
from thaw.errors import UserError

ATTENTION = ("keras_hub.src.models.dinov2.dinov2_layers", "DINOV2Attention")
EMBEDDING = ("keras_hub.src.models.dinov2.dinov2_layers", "DINOV2Embedding")
GOOD = {
    ATTENTION: {"hidden_dim": 16, "num_heads": 2, "dropout_rate": 0.0},
    EMBEDDING: {"hidden_dim": 16, "patch_size": 8, "image_shape": [32, 32]},
}


def model_with(kind, config, **more):
    module, name = kind
    layer = {
        "module": module,
        "class_name": name,
        "registered_name": name,
        "config": {"name": "x", "trainable": True, "dtype": "float32"} | config,
        "name": "x",
        "inbound_nodes": [],
    }
    return {
        "module": "keras",
        "class_name": "Functional",
        "config": {"name": "model", "layers": [layer | more]},
    }


@functools.cache
def classes_of_kerashub():
    """Returns module and name of every class in the sources of KerasHub."""
    package = Path(importlib.util.find_spec("keras_hub").origin).parent
    return {
        (".".join(("keras_hub", *path.relative_to(package).parts))[:-3], x.name)
        for path in package.rglob("*.py")
        for x in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(x, ast.ClassDef)
    }


def test_every_other_class_is_refused_before_anything_is_imported():
    others = classes_of_kerashub() - HUB_LAYERS.keys()
    assert len(others) > 700
    before = {*sys.modules}
    for kind in others:
        with pytest.raises(UserError, match="not among"):
            check_config(model_with(kind, {}), "model.keras")
        with pytest.raises(UserError, match="not among"):
            inner = {"class_name": kind[1], "module": kind[0], "config": {}}
            check_config(
                model_with(ATTENTION, GOOD[ATTENTION] | {"dtype": inner}),
                "model.keras",
            )
    assert {*sys.modules} == before


def test_what_is_allowed_is_there_and_takes_these_arguments():
    assert HUB_LAYERS.keys() <= classes_of_kerashub()
    for (module, name), arguments in HUB_LAYERS.items():
        made = getattr(importlib.import_module(module), name)
        parameters = inspect.signature(made.__init__).parameters
        assert arguments.keys() <= parameters.keys(), name


@pytest.mark.parametrize("kind", GOOD)
def test_good_arguments_pass(kind):
    assert check_config(model_with(kind, GOOD[kind]), "model.keras") == 1


@pytest.mark.parametrize(
    ("kind", "changed", "named"),
    [
        (ATTENTION, {"hidden_dim": 1 << 16}, "hidden_dim"),
        (ATTENTION, {"hidden_dim": True}, "hidden_dim"),
        (ATTENTION, {"num_heads": 0}, "num_heads"),
        (ATTENTION, {"num_heads": 2.0}, "num_heads"),
        (ATTENTION, {"dropout_rate": 1.0}, "dropout_rate"),
        (ATTENTION, {"dropout_rate": float("nan")}, "dropout_rate"),
        (ATTENTION, {"fn": "os.system"}, "fn"),
        (ATTENTION, {"name": 3}, "name"),
        (ATTENTION, {"activity_regularizer": None}, "activity_regularizer"),
        (EMBEDDING, {"image_shape": [4096]}, "image_shape"),
        (EMBEDDING, {"image_shape": [4096, 8192]}, "image_shape"),
        (
            EMBEDDING,
            {"image_shape": [4096] * 2, "patch_size": 1},
            "image_shape",
        ),
        (EMBEDDING, {"data_format": "channels_first"}, "data_format"),
    ],
)
def test_arguments_of_another_kind_or_size_are_refused(kind, changed, named):
    with pytest.raises(UserError, match=f"the '{named}' of its '{kind[1]}' is"):
        check_config(model_with(kind, GOOD[kind] | changed), "model.keras")


def test_a_layer_has_no_other_name():
    name = "keras_hub>TokenizerLayer"
    config = model_with(ATTENTION, GOOD[ATTENTION], registered_name=name)
    with pytest.raises(UserError, match="by another name"):
        check_config(config, "model.keras")


def test_the_docs_name_every_backbone():
    page = (ROOT / "docs/backbones.md").read_text("utf-8")
    allowed, refused = page.split("## Refused")
    assert all(f"`{name}`" in allowed for name in HUB_BACKBONES)
    assert not any(f"`{name}`" in refused for name in HUB_BACKBONES)
