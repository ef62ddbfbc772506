import keras
import numpy as np

from model_zoo import build_model
from model_zoo.hashes import hash_layers
from model_zoo.unfreeze import unfreeze
from thaw.runs.freeze_proof import FreezeProof, trained_layer_names


def move(model, layer, weight=0):
    variable = model.get_layer(layer).weights[weight]
    variable.assign(variable + 1e-6 * (1 + np.abs(variable)))


def test_hashes_see_the_smallest_move_and_moving_statistics():
    model = build_model("mobilenetv2", weights="none", image_size=64)
    before = hash_layers(model)
    assert before == hash_layers(model)
    assert "resize" not in before and "bn_Conv1" in before
    move(model, "block_16_project")
    move(model, "bn_Conv1", weight=2)  # the moving mean
    after = hash_layers(model)
    assert {n for n in before if before[n] != after[n]} == {
        "block_16_project",
        "bn_Conv1",
    }


def test_the_proof_over_two_stages():
    model = build_model("vgg16_tiny", weights="none")
    proof = FreezeProof()
    head = ["head_hidden", "head_output"]
    block5 = ["block5_conv1", "block5_conv2", "block5_conv3"]
    assert trained_layer_names(model) == block5 + head
    for trained in (head, block5 + head):
        before = hash_layers(model)
        for layer in trained:
            move(model, layer)
        proof.add_stage(trained, before, hash_layers(model))
    assert proof.summary() == (
        "frozen 10 layers: none moved; trained 5 layers: all moved"
    )
    assert not proof.frozen_moved


def test_a_frozen_layer_that_moves_in_its_stage_is_caught():
    model = build_model("vgg16_tiny", weights="none")
    proof = FreezeProof()
    before = hash_layers(model)
    for layer in ("head_hidden", "block5_conv1", "block1_conv1"):
        move(model, layer)
    proof.add_stage(["head_hidden", "head_output"], before, hash_layers(model))
    assert proof.frozen_moved == {"block5_conv1", "block1_conv1"}
    assert proof.summary() == (
        "frozen 13 layers: block1_conv1, block5_conv1 moved; "
        "trained 2 layers: all moved but head_output"
    )
    # That the layer trains later does not make good what moved before.
    proof.add_stage(["block5_conv1"], before, before)
    assert "block5_conv1" in proof.frozen_moved


def test_layers_of_one_name_in_two_nested_models_are_told_apart(tmp_path):
    image = keras.Input((None, None, 3))
    x = image
    for name in ("stem", "stage"):
        conv = keras.layers.Conv2D(4, 3, name="conv")
        x = keras.Sequential([conv], name=name)(x)
    keras.Model(image, x).save(tmp_path / "nested.keras")
    model = build_model(
        str(tmp_path / "nested.keras"),
        preprocess="none",
        image_size=32,
        unfreeze_from="stage",
    )
    assert list(hash_layers(model))[:2] == ["stem/conv", "stage/conv"]
    assert trained_layer_names(model)[0] == "stage/conv"
    before = hash_layers(model)
    kernel = model.get_layer("stem").layers[0].kernel
    kernel.assign(kernel + 1)
    proof = FreezeProof()
    proof.add_stage(trained_layer_names(model), before, hash_layers(model))
    assert proof.frozen_moved == {"stem/conv"}


def test_statistics_that_may_move_count_as_trained(tmp_path):
    base = keras.Sequential(
        [
            keras.Input((None, None, 3)),
            keras.layers.Conv2D(4, 3, name="conv"),
            keras.layers.BatchNormalization(
                center=False, scale=False, name="bare_norm"
            ),
        ]
    )
    base.save(tmp_path / "base.keras")
    model = build_model(
        str(tmp_path / "base.keras"),
        preprocess="none",
        image_size=32,
        unfreeze_from="conv",
    )
    assert "bare_norm" not in trained_layer_names(model)
    unfreeze(model, "conv", train_batch_norm=True)
    assert "bare_norm" in trained_layer_names(model)
