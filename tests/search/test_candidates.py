import keras
import pytest

from model_zoo import build_model
from model_zoo.unfreeze import block_starts
from thaw.config import TrainConfig
from thaw.search import candidates


@pytest.fixture(scope="module")
def tiny():
    return build_model("vgg16_tiny", image_size=32, weights="none")


def test_points_are_the_starts_of_blocks_the_last_first(tiny):
    assert candidates.unfreeze_points(tiny) == [
        "block5_conv1", "block4_conv1", "block3_conv1", "block2_conv1"
    ]  # fmt: skip
    numbers = [
        candidates.num_trained(tiny, x)
        for x in ("none", "block5_conv1", "block2_conv1")
    ]
    assert numbers == sorted(numbers) and numbers[0] < numbers[1]


def test_a_long_block_has_a_point_in_its_middle(tmp_path):
    """Between two branches flow two tensors: there it isn't divided."""
    layers = keras.layers
    image = keras.Input((32, 32, 3))
    x = layers.Conv2D(4, 3, strides=2, name="start")(image)
    x = layers.Conv2D(4, 3, strides=2, name="block")(x)
    for number in range(4):
        a = layers.Conv2D(4, 3, padding="same", name=f"a{number}")(x)
        b = layers.Conv2D(4, 3, padding="same", name=f"b{number}")(a)
        x = layers.Add(name=f"sum{number}")([x, b])
    path = tmp_path / "base.keras"
    keras.Model(image, x).save(path)
    model = build_model(
        str(path), image_size=32, preprocess="tf", unfreeze_from="none"
    )
    assert candidates.unfreeze_points(model) == ["a2", "block"]


def test_squeeze_and_excitation_begins_no_block():
    layers = keras.layers
    image = keras.Input((32, 32, 3))
    x = layers.Conv2D(4, 3, strides=2, padding="same", name="first")(image)
    for name in ("one", "two"):
        x = layers.ZeroPadding2D()(x)  # larger, but no map of its own
        x = layers.Conv2D(4, 3, strides=2, name=name)(x)
        squeezed = layers.GlobalAveragePooling2D(keepdims=True)(x)
        gate = layers.Conv2D(4, 1, name=f"{name}_se")(squeezed)
        x = layers.Multiply()([x, gate])
    model = keras.Model(image, x)
    assert block_starts(model) == ["first", "one", "two"]


def test_what_is_given_is_kept():
    config = TrainConfig(learning_rate=1e-5, augment="crop", trials=3)
    assert candidates.learning_rates(config) == (1e-5,)
    assert candidates.augmentations(config) == ("crop",)
    rates = candidates.learning_rates(TrainConfig(trials=3))
    assert max(rates) / min(rates) == pytest.approx(300)


def test_a_number_of_epochs_that_is_given_is_the_last():
    for given, expected in [(1, (1, 1, 1)), (2, (1, 2, 2)), (30, (1, 3, 30))]:
        config = TrainConfig(epochs=given, trials=3)
        assert candidates.numbers_of_epochs(config) == expected
    assert candidates.numbers_of_epochs(TrainConfig(trials=3)) == (1, 3, 10)
