import numpy as np

from model_zoo import build_model
from training.freeze_proof import (
    FreezeProof,
    hash_layers,
    trained_layer_names,
)


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
        "trained 2 layers: head_output did not move"
    )
    # That the layer trains later does not make good what moved before.
    proof.add_stage(["block5_conv1"], before, before)
    assert "block5_conv1" in proof.frozen_moved
