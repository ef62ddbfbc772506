import keras
import numpy as np
import pytest

from model_zoo import build_model
from model_zoo.boundary import boundary_tensors, split
from model_zoo.hashes import weights_sha256
from model_zoo.layer_groups import layer_groups
from model_zoo.listing import list_layers
from model_zoo.safe_loading.load import load_model
from model_zoo.tokens import num_prefix_tokens, token_blocks
from model_zoo.unfreeze import base_layers, block_starts, unfreeze
from tests.support.presets import SIZE, TRANSFORMERS
from thaw.errors import UserError
from thaw.search.candidates import unfreeze_points

PREFIX = {
    "ViT": 1,
    "DeiT": 2,
    "DINOV2": 4,
    "DINOV2 with SwiGLU": 1,
    "DINOV3": 3,
    "DINOV3 with gates": 5,
}


def build(folder, **options):
    options = {"unfreeze_from": "block_2", "dropout": 0, **options}
    return build_model(f"hub:{folder}", **options)


def tokens_of(model):
    return keras.Model(model.input, model.get_layer("norm").output)


def preprocessed(model, images):
    pixels = model.get_layer("preprocess").output
    return keras.Model(model.input, pixels)(images)


@pytest.mark.parametrize("family", TRANSFORMERS)
def test_it_computes_what_kerashub_does_to_the_last_bit(
    small_preset, images, family
):
    folder, backbone = small_preset(family)
    model = build(folder)
    expected = backbone(preprocessed(model, images), training=False)
    np.testing.assert_array_equal(tokens_of(model)(images), expected)
    names = [layer.name for layer in base_layers(model)]
    assert [x for x in names if x != "embedding_dropout"] == [
        "embedding", "block_1", "block_2", "norm"
    ]  # fmt: skip
    assert num_prefix_tokens(model) == PREFIX[family]
    assert len(model.get_layer("norm").get_weights()) == 2


@pytest.mark.parametrize("family", TRANSFORMERS)
def test_it_is_divided_before_and_after_blocks(small_preset, images, family):
    model = build(small_preset(family)[0])
    expected = model(images, training=False)
    paths = [w.path for w in model.weights]
    assert len({*paths}) == len(paths)
    for name in ("block_1", "block_2", "norm"):
        layer = model.get_layer(name)
        (tokens,) = boundary_tensors(model, layer)
        assert tokens.shape == (None, PREFIX[family] + 16, 16)
        frozen, trained = split(model, layer)
        np.testing.assert_array_equal(
            trained(frozen(images, training=False), training=False), expected
        )


@pytest.mark.parametrize("family", TRANSFORMERS)
def test_what_it_learned_is_saved(small_preset, images, family, tmp_path):
    model = build(small_preset(family)[0], unfreeze_from="all", pooling="both")
    assert len(model.trainable_variables) > 40
    for weight in model.trainable_variables:
        # Less in sum: DINOv2's own way of saving would miss it.
        weight.assign_sub(np.random.uniform(0, 0.1, weight.shape))
    sha256 = weights_sha256(model)
    path = tmp_path / "model.keras"
    model.save(path)
    expected = model(images, training=False)
    plain = keras.saving.load_model(path, compile=False)
    np.testing.assert_array_equal(plain(images), expected)
    opened = load_model(path)
    np.testing.assert_array_equal(opened(images), expected)
    assert weights_sha256(model) == weights_sha256(opened) == sha256
    # What was opened can be saved, too.
    opened.save(path)
    np.testing.assert_array_equal(load_model(path)(images), expected)


def test_only_what_is_unfrozen_trains(small_preset):
    model = build(small_preset("DINOV2")[0], unfreeze_from="none")
    trained = unfreeze(model, "block_2")
    inside = model.get_layer("block_2").trainable_variables
    assert len(inside) == 18  # 2 norms, 4 projections, 2 scales, 2 layers
    norm = model.get_layer("norm")
    assert len(trained) == len(inside) + 2 + 2 * 2
    assert not model.get_layer("block_1").trainable_variables
    groups = layer_groups(model)
    assert [len(x) for x in groups.values()] == [4, 2, 18]
    assert groups["upper"] == norm.trainable_variables


@pytest.mark.parametrize("family", ["ViT", "DeiT", "DINOV2", "DINOV3"])
def test_positions_are_interpolated_for_other_sizes(
    small_preset, images, family
):
    folder, backbone = small_preset(family)
    model = build(folder, image_size=64)
    tokens = tokens_of(model)(images)
    assert tokens.shape == (4, PREFIX[family] + 64, 16)
    if family.startswith("DINO"):
        import keras_hub

        other = keras_hub.models.Backbone.from_preset(
            str(folder), image_shape=(64, 64, 3)
        )
        expected = other(preprocessed(model, images), training=False)
        np.testing.assert_array_equal(tokens, expected)
    else:
        before = backbone.layers[1].weights
        now = model.get_layer("embedding").weights
        moved = [
            (x.numpy().reshape(-1, 16), y.numpy().reshape(-1, 16))
            for x, y in zip(before, now, strict=True)
            if x.shape != y.shape
        ]
        ((x, y),) = moved
        prefix = PREFIX[family]
        np.testing.assert_array_equal(x[:prefix], y[:prefix])
        # Twice as many a side: the mean stays, but for the border.
        assert (
            np.corrcoef(
                x[prefix:].reshape(4, 4, 16)[1:3, 1:3].ravel(),
                y[prefix:]
                .reshape(4, 2, 4, 2, 16)
                .mean(axis=(1, 3))[1:3, 1:3]
                .ravel(),
            )[0, 1]
            > 0.95
        )


def test_a_size_that_patches_do_not_divide(small_preset):
    with pytest.raises(UserError, match="multiple of 8. Received: 60"):
        build(small_preset("ViT")[0], image_size=60)


@pytest.mark.parametrize(
    ("pooling", "width"), [("auto", 16), ("cls", 16), ("avg", 16), ("both", 32)]
)
def test_pooling_of_tokens(small_preset, images, pooling, width):
    model = build(
        small_preset("DeiT")[0], pooling=pooling, unfreeze_from="none"
    )
    tokens = tokens_of(model)(images).numpy()
    cls, avg = tokens[:, 0], tokens[:, 2:].mean(axis=1)
    expected = {"avg": avg, "both": np.concatenate([cls, avg], axis=1)}
    (pooled,) = boundary_tensors(model, model.get_layer("head_hidden"))
    assert pooled.shape == (None, width)
    np.testing.assert_allclose(
        keras.Model(model.input, pooled)(images),
        expected.get(pooling, cls),
        rtol=1e-5,
        atol=1e-6,
    )


def test_a_pooling_that_does_not_fit_is_refused(small_preset, hub_preset):
    with pytest.raises(UserError, match="auto, cls, avg or both .* 'flatten'"):
        build(small_preset("ViT")[0], pooling="flatten")
    with pytest.raises(UserError, match="no class token. Received: 'cls'"):
        build_model(f"hub:{hub_preset}", unfreeze_from="all", pooling="cls")


def test_blocks_are_where_one_may_unfreeze_from(small_preset):
    model = build(small_preset("DINOV3")[0])
    assert block_starts(model) == ["embedding", "block_1", "block_2"]
    assert unfreeze_points(model) == ["block_2", "block_1"]
    blocks = token_blocks(model)
    assert [x.name for x in blocks] == ["block_1", "block_2"]


def test_layers_of_a_block_are_listed_under_its_name(small_preset):
    lines = list_layers(
        backbone=f"hub:{small_preset('ViT')[0]}",
        image_size=SIZE,
        preprocess="auto",
        unfreeze_from=None,
        cut_at=None,
        train_batch_norm=False,
    ).splitlines()
    names = [line.split()[0] for line in lines if line.strip()]
    assert names[names.index("block_1") :][:5] == [
        "block_1",
        *(f"block_1_{x}" for x in ("ln_1", "mha", "dropout", "ln_2")),
    ]  # fmt: skip
