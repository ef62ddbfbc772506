import keras
import numpy as np
import pytest

from model_zoo import boundary
from tests.support.training import epochs_of
from tests.support.training import train as train_stages
from thaw.training import stages
from thaw.training.solved_head import solve_head

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def train(drawn_photos, tmp_path_factory):
    """Function that trains both stages; returns the history and the model."""
    folder = tmp_path_factory.mktemp("stages")

    def train(backbone="vgg16_tiny", unfreeze_from="block5_conv1", **options):
        options = {
            "weights": "none", "image_size": 32, "hidden_units": 16,
            "batch_size": 8, "steps_per_epoch": 5, "head_epochs": 2,
            "epochs": 2, "learning_rate": 1e-4, "head_schedule": "constant",
            "cache_views": 0, "cache_dtype": "float32",
            "cache_dir": folder / "cache", **options,
        }  # fmt: skip
        training = train_stages(
            folder / f"run{len(list(folder.iterdir()))}",
            data=drawn_photos,
            backbone=backbone,
            unfreeze_from=unfreeze_from,
            **options,
        )
        return epochs_of(training), training.model

    return train


@pytest.fixture(scope="module")
def uncached(train):
    """History and model without the cache."""
    return train()


@pytest.fixture(scope="module")
def branches(tmp_path_factory):
    """A base with branches, Dropout and BatchNormalization."""
    layers = keras.layers
    image = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, strides=2, name="stem")(image)
    x = layers.BatchNormalization(name="stem_bn")(x)
    wide = layers.Conv2D(8, 3, padding="same", name="wide")(x)
    wide = layers.Dropout(0.3, name="wide_drop")(wide)
    wide = layers.BatchNormalization(name="wide_bn")(wide)
    x = layers.ReLU(name="sum_relu")(layers.Add(name="sum")([x, wide]))
    x = layers.SeparableConv2D(8, 3, name="last")(x)
    path = tmp_path_factory.mktemp("branches") / "branches.keras"
    keras.Model(image, layers.Dropout(0.3, name="last_drop")(x)).save(path)
    return {"backbone": path, "preprocess": "tf", "unfreeze_from": "wide_bn"}


def check_equal_bit_for_bit(train, uncached, **options):
    """38 photos, 40 an epoch: passes begin inside epochs and batches."""
    history, model = uncached
    for _ in range(2):  # computed, then read back
        cached, other = train(cache_views=5, **options)
        assert cached == history
        for a, b in zip(model.weights, other.weights, strict=True):
            np.testing.assert_array_equal(a, b)


def test_cached_and_uncached_training_are_equal_bit_for_bit(train, uncached):
    check_equal_bit_for_bit(train, uncached)


def test_so_they_are_where_the_boundary_has_several_tensors(train, branches):
    uncached = train(**branches)
    model = uncached[1]
    frozen, _ = boundary.split(model, model.get_layer("wide_bn"))
    assert len(frozen.outputs) == 2
    check_equal_bit_for_bit(train, uncached, **branches)


def test_fewer_views_are_another_training(train, uncached):
    fewer, _ = train(cache_views=1)
    assert fewer != uncached[0]


def test_in_float16_it_is_nearly_the_same_and_the_same_again(train, uncached):
    half = {"cache_views": 5, "cache_dtype": "float16"}
    rounded, _ = train(**half)
    assert train(**half)[0] == rounded
    for row, other in zip(uncached[0], rounded, strict=True):
        assert other["loss"] == pytest.approx(row["loss"], rel=0.01)
        assert other["val_loss"] == pytest.approx(row["val_loss"], rel=0.01)


@pytest.mark.parametrize("unfreeze_from", ["none", "all"])
def test_nothing_and_all_unfrozen_train_from_the_cache_too(
    train, branches, unfreeze_from
):
    options = branches | {"unfreeze_from": unfreeze_from}
    uncached, _ = train(**options)
    cached, _ = train(cache_views=5, **options)
    assert cached == uncached


def test_mixes_are_trained_on_and_come_out_the_same_again(train, uncached):
    mixes = {"mixup": True, "cutmix": True, "epochs": 1}
    mixed, _ = train(**mixes)
    again, _ = train(**mixes)
    assert mixed == again
    of_head, of_fine_tuning = mixed[:2], mixed[2]
    assert of_head == uncached[0][:2] and of_fine_tuning != uncached[0][2]
    # With validation features in the cache, in float16.
    half = {"cache_views": 2, "cache_dtype": "float16"}
    cached, _ = train(**mixes, **half)
    for row, other in zip(mixed, cached, strict=True):
        assert other["val_loss"] == pytest.approx(row["val_loss"], rel=0.05)


def test_a_full_disk_in_the_middle_changes_nothing_but_the_speed(
    train, uncached, monkeypatch, capsys, tmp_path
):
    write_header = np.lib.format.write_array_header_2_0
    written = []

    def full_after_three(*arguments):
        written.append(arguments)
        if len(written) > 3:
            raise OSError(28, "No space left on device")
        write_header(*arguments)

    monkeypatch.setattr(
        np.lib.format, "write_array_header_2_0", full_after_three
    )
    got, _ = train(cache_views=5, cache_dir=tmp_path / "cache")
    assert len(written) == 4
    assert got == uncached[0]
    assert capsys.readouterr().err.count("No space left on device") == 1


def test_a_solved_head_gets_the_groups_of_its_photos(train, monkeypatch):
    given = []

    def solve(inputs, labels, solver, groups):
        given.append((labels, groups))
        return solve_head(inputs, labels, solver, groups)

    monkeypatch.setattr(stages, "solve_head", solve)
    train(
        backbone="simple_cnn",
        unfreeze_from="none",
        head="linear",
        epochs=0,
        group_regex=r"((cat|dog)/00\d)",
    )
    ((labels, groups),) = given
    pairs = set(zip(groups, labels, strict=True))
    assert len(pairs) == len(set(groups)) == 4


def test_the_logits_of_the_model_that_is_kept_are_divided(train, uncached):
    (plain, of_plain), (divided, model) = uncached, train(temperature=2.0)
    for a, b in zip(plain, divided, strict=True):
        assert a["loss"] == b["loss"]  # it trains as it would
        assert (a["val_loss"] == b["val_loss"]) == (a["stage"] == "head")
    for a, b in zip(of_plain.weights, model.weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_is_saved_and_what_callbacks_see_is_the_divided_model(
    drawn_photos, tmp_path
):
    seen = []
    callback = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda *_: seen.append(
            callback.model.layers[-1].get_weights()
        )
    )
    training = train_stages(
        tmp_path / "run", [callback], data=drawn_photos, weights="none",
        backbone="vgg16_tiny", image_size=32, batch_size=8, head="dense",
        head_epochs=0, epochs=1, temperature=4.0, cache_dir=tmp_path / "cache",
    )  # fmt: skip
    training.best.save()
    trained = training.model.layers[-1].get_weights()
    training.best.put_weights_back()
    kept = training.model.layers[-1].get_weights()
    for whole, saved, shown in zip(trained, kept, seen[0], strict=True):
        np.testing.assert_array_equal(whole / 4, saved)
        np.testing.assert_array_equal(saved, shown)
