"""Each recipe means what its text says, and runs."""

import shutil

import keras
import numpy as np
import pytest

import augment
from model_zoo import build_model
from tests.support.paths import ROOT
from tests.support.training import train
from thaw.cli import flags
from thaw.cli.commands.train import CONFIGS
from thaw.data.datasets import make_augmentation
from thaw.training.plan import make_settings, make_stages

RECIPES = sorted(path.stem for path in (ROOT / "recipes").glob("*.flags"))
# So that each runs in seconds: fewer photos, steps and pixels, random weights.
SMALL = ("--weights=none", "--steps_per_epoch=2", "--batch_size=8")
TINY = ("--backbone=vgg16_tiny", "--image_size=48")


def parse(recipe, *more):
    """Returns the options of a recipe and some more flags."""
    flagfile = f"--flagfile={ROOT / 'recipes' / recipe}.flags"
    _, (config, *_) = flags.parse(["train.py", flagfile, *more], CONFIGS)
    return config


def plan(config):
    """Returns the stages; no model is needed to look at them."""
    return make_stages(config, None, config.unfreeze_from)


def settings_of(config):
    return make_settings(config, None, np.array([0, 1]), 2)


def build(config, num_classes, **changed):
    return build_model(
        num_classes=num_classes,
        resize=config.resize,
        train_batch_norm=config.train_batch_norm,
        **config.head_arguments(),
        **(config.model_arguments() | changed),
    )


@pytest.fixture(scope="module")
def pets(drawn_photos, tmp_path_factory):
    """One flat folder, the class in the names of the files."""
    folder = tmp_path_factory.mktemp("pets")
    for path in drawn_photos.glob("*/*.jpg"):
        shutil.copy(path, folder / f"{path.parent.name}_{int(path.stem)}.jpg")
    return folder


def rates(stage, num_steps=1000):
    return stage.schedule(np.arange(num_steps), num_steps, stage.learning_rate)


def test_the_classic():
    config = parse("vgg16_partial_unfreeze")
    (stage,) = plan(config)  # no head stage
    assert stage.unfreeze_from == "block5_conv1" and stage.epochs == 100
    assert set(rates(stage)) == {1e-5}
    arguments = config.model_arguments()
    assert arguments["backbone"] == "vgg16" and arguments["image_size"] == 150
    assert arguments["preprocess"] == "rescale"
    assert config.head_arguments() == {
        "pooling": "flatten",
        "hidden_units": 256,
        "dropout": 0.5,
    }
    affine = make_augmentation(config, 150)
    assert (affine.rotation_range, affine.shear_range) == (40, 0.2)
    assert affine.width_shift_range == affine.height_shift_range == 0.2
    assert affine.zoom_range == 0.2 and affine.horizontal_flip
    assert affine.fill_mode == "nearest"
    settings = settings_of(config)
    assert settings.batch_size == 20 and config.steps_per_epoch == 100
    assert type(settings.make_optimizer()) is keras.optimizers.RMSprop


def test_the_classic_done_better_differs_in_two_things():
    classic = parse("vgg16_partial_unfreeze").to_dict()
    config = parse("vgg16_partial_unfreeze_better")
    better = config.to_dict()
    assert {name for name in classic if classic[name] != better[name]} == {
        "preprocess",
        "head_epochs",
    }
    head, _ = plan(config)
    assert (head.name, head.epochs) == ("head", 3)
    assert better["preprocess"] == "caffe"


def test_the_linear_head():
    config = parse("vgg16_linear_head", "--optimizer=sgd", "--momentum=0.9")
    (stage,) = plan(config)
    assert stage.unfreeze_from == "none"
    assert stage.learning_rate == 1e-3
    assert config.model_arguments()["cut_at"] == "fc2"
    assert config.head_arguments()["hidden_units"] == 0
    assert config.resize == "squash"
    optimizer = settings_of(config).make_optimizer()
    assert type(optimizer) is keras.optimizers.SGD
    assert optimizer.momentum == 0.9


def test_fine_tune_has_the_numbers_of_fastai():
    """Learner.fine_tune(2, base_lr=2e-3)."""
    config = parse("pets_fine_tune")
    head, fine_tune = plan(config)
    assert (head.epochs, head.learning_rate) == (1, 2e-3)
    assert rates(head).argmax() == 990
    assert rates(head)[0] == pytest.approx(2e-3 / 25)
    assert (fine_tune.epochs, fine_tune.learning_rate) == (2, 1e-3)
    assert rates(fine_tune).argmax() == 300
    assert rates(fine_tune)[0] == pytest.approx(1e-3 / 5)
    # From a hundredth in the lowest of three groups, by equal ratios.
    assert fine_tune.layer_decay == pytest.approx(0.1)
    assert fine_tune.unfreeze_from == "all" and config.train_batch_norm


def test_discriminative_rates():
    config = parse("pets_discriminative")
    head, fine_tune = plan(config)
    assert (head.epochs, head.learning_rate) == (3, 3e-3)
    assert (fine_tune.epochs, fine_tune.learning_rate) == (12, 1e-4)
    assert fine_tune.layer_decay**2 == pytest.approx(1e-6 / 1e-4)


def test_one_cycle():
    config = parse("pets_one_cycle")
    (stage,) = plan(config)
    assert rates(stage).argmax() == 250
    assert rates(stage)[0] == pytest.approx(2e-3 / 25)


def test_resnet18_on_cifar10(hub_preset):
    config = parse("resnet18_cifar10")
    arguments = config.model_arguments()
    assert arguments["backbone"] == "hub:resnet_18_imagenet"
    assert arguments["image_size"] == 224
    (stage,) = plan(config)
    assert stage.unfreeze_from == "all" and stage.epochs == 10
    assert set(rates(stage)) == {5e-4}
    assert config.batch_size == 128 and config.train_batch_norm
    assert isinstance(make_augmentation(config, 224), augment.Crop)
    # Evaluated on the middle 224 of 256 pixels.
    model = build(config, 10, backbone=f"hub:{hub_preset}")
    assert model.get_layer("presize").height == 256
    assert type(model.get_layer("resize")) is keras.layers.CenterCrop
    last = model.get_layer("head_output")
    assert last.input.shape == (None, 16)  # no hidden layer
    # "Xavier" is what Keras calls Glorot, after the other half of his name.
    assert type(last.kernel_initializer) is keras.initializers.GlorotUniform
    norms = [x for x in model.layers if x.name.endswith("_bn")]
    assert norms and all(norm.trainable_variables for norm in norms)


def test_a_linear_head_on_dinov2(small_preset, images):
    config = parse("dinov2_linear")
    (stage,) = plan(config)
    assert stage.solver is not None and stage.unfreeze_from == "none"
    folder, backbone = small_preset("DINOV2")
    changed = {"backbone": f"hub:{folder}", "image_size": 32}
    model = build(config, 3, **changed)
    assert model.get_layer("presize").height == 37  # 256 / 224 of it
    (head,) = [x for x in model.layers if x.name == "head_output"]
    # Class token and mean of the 16 patches, without the three registers.
    pixels = model.get_layer("preprocess").output
    both = keras.Model(model.input, [pixels, head.input])
    pixels, features = both(images, training=False)
    tokens = backbone(pixels, training=False).numpy()
    expected = np.concatenate([tokens[:, 0], tokens[:, 4:].mean(axis=1)], 1)
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-5)


def test_the_last_blocks_of_a_vit(small_preset):
    config = parse("vit_last_blocks")
    head, fine_tune = plan(config)
    assert head.solver is not None and fine_tune.epochs == 5
    assert config.model_arguments()["unfreeze_from"] == "block_11"
    folder, _ = small_preset("ViT")
    changed = {
        "backbone": f"hub:{folder}",
        "image_size": 32,
        "unfreeze_from": "block_2",
    }
    model = build(config, 3, **changed)
    assert model.get_layer("head_output").input.shape == (None, 16)
    trained = [x.name for x in model.layers if x.trainable_variables]
    assert trained == ["block_2", "norm", "head_output"]


@pytest.mark.parametrize(
    "recipe, epochs, batch_size, augmentation",
    [
        ("vgg16_head_dropout02", 9, 32, augment.Affine),
        ("vgg16_precomputed", 19, 64, type(None)),
    ],
)
def test_only_the_classifier_of_vgg16(recipe, epochs, batch_size, augmentation):
    config = parse(recipe)
    (stage,) = plan(config)
    assert (stage.unfreeze_from, stage.epochs) == ("fc1", epochs)
    assert set(rates(stage)) == {1e-4}
    assert config.model_arguments()["cut_at"] == "fc2"
    head = config.head_arguments()
    assert (head["hidden_units"], head["dropout"]) == (0, 0.2)
    settings = settings_of(config)
    optimizer = settings.make_optimizer()
    assert type(optimizer) is keras.optimizers.SGD
    assert optimizer.momentum == 0.5 and settings.batch_size == batch_size
    made = make_augmentation(config, 224)
    assert type(made) is augmentation
    if made is not None:
        assert made.horizontal_flip and made.rotation_range == 10


def test_simple_cnn_on_photos():
    config = parse("simple_cnn_cats_dogs")
    (stage,) = plan(config)
    assert (stage.unfreeze_from, stage.epochs) == ("all", 19)
    assert set(rates(stage)) == {1e-2}
    model = build(config, 2)
    # 3 x 25 x 10 and 10 x 25 x 20 weights, then the 53 x 53 x 20 that are left.
    assert model.get_layer("conv2").count_params() == 5_020
    assert model.get_layer("head_hidden").input.shape == (None, 56_180)
    assert model.get_layer("head_hidden").units == 500


def test_simple_cnn_on_one_channel():
    config = parse("simple_cnn_mnist")
    model = build(config, 10)
    assert model.get_layer("preprocess").output.shape == (None, 28, 28, 1)
    image = np.full((1, 28, 28, 3), 255.0)
    first = keras.Model(model.input, model.get_layer("preprocess").output)
    expected = (1 - 0.1307) / 0.3081
    np.testing.assert_allclose(first.predict(image), expected, rtol=1e-5)
    kinds = [type(layer).__name__ for layer in model.layers]
    (stage,) = plan(config)
    assert stage.epochs == 19 and config.batch_size == 32
    assert kinds.count("Conv2D") == 2 and "SpatialDropout2D" in kinds
    assert model.output.shape == (None, 10)
    # PyTorch's example has 21,840 parameters.
    assert model.count_params() == 21_840


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES)
def test_it_trains(
    drawn_photos, pets, hub_preset, small_preset, recipe, tmp_path
):
    data = pets if recipe.startswith("pets") else drawn_photos
    more = [] if recipe.startswith("simple_cnn") else list(TINY)
    if recipe == "resnet18_cifar10":
        more = [f"--backbone=hub:{hub_preset}", "--image_size=64"]
    if recipe in ("dinov2_linear", "vit_last_blocks"):
        preset = small_preset(
            "ViT" if recipe == "vit_last_blocks" else "DINOV2"
        )
        more = [f"--backbone=hub:{preset[0]}", "--image_size=32"]
    if recipe == "vit_last_blocks":
        more.append("--unfreeze_from=block_2")
    if recipe == "vgg16_linear_head":
        more.append("--cut_at=block5_pool")
    if recipe in ("vgg16_head_dropout02", "vgg16_precomputed"):
        # The small VGG16 has no fc1 and fc2.
        more += ["--cut_at=block5_pool", "--unfreeze_from=block5_conv1"]
    if recipe == "simple_cnn_cats_dogs":
        more.append("--image_size=64")
    config = parse(recipe, f"--data={data}", *SMALL, *more, "--epochs=1")
    training = train(tmp_path / "run", **config.to_dict())
    assert training.history.epochs[-1]["stage"] == "fine_tune"
    assert np.isfinite(training.history.epochs[-1]["val_loss"])
    assert training.splits.train.counts() == {"cat": 19, "dog": 19}


def test_every_recipe_is_in_the_docs():
    page = (ROOT / "docs/recipes.md").read_text()
    for recipe in RECIPES:
        assert f"`{recipe}`" in page
