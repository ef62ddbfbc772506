import numpy as np
import pytest

from tests.support.training import epochs_of
from tests.support.training import train as train_stages

pytestmark = pytest.mark.slow


@pytest.fixture
def train(drawn_photos, tmp_path):
    """Function that trains both stages; returns the history and the model."""

    def train(backbone, unfreeze_from, **options):
        options = {
            "weights": "none", "image_size": 32, "hidden_units": 16,
            "batch_size": 8, "steps_per_epoch": 5, "head_epochs": 2,
            "epochs": 2, "learning_rate": 1e-4, "head_schedule": "constant",
            "cache_views": 0, "cache_dtype": "float32",
            "cache_dir": tmp_path / "cache", **options,
        }  # fmt: skip
        training = train_stages(
            tmp_path / f"run{len(list(tmp_path.iterdir()))}",
            data=drawn_photos,
            backbone=backbone,
            unfreeze_from=unfreeze_from,
            **options,
        )
        return epochs_of(training), training.model

    return train


MODELS = pytest.mark.parametrize(
    "backbone, unfreeze_from",
    [
        ("vgg16_tiny", "block5_conv1"),
        # branches, Dropout, BatchNormalization
        ("efficientnetb0", "block6c_project_bn"),
    ],
)


@MODELS
def test_cached_and_uncached_training_are_equal_bit_for_bit(
    train, backbone, unfreeze_from
):
    """38 photos, 40 a epoch: passes begin inside epochs and batches."""
    uncached, model = train(backbone, unfreeze_from)
    for _ in range(2):  # computed, then read back
        cached, other = train(backbone, unfreeze_from, cache_views=5)
        assert cached == uncached
        for a, b in zip(model.weights, other.weights, strict=True):
            np.testing.assert_array_equal(a, b)
    fewer, _ = train(backbone, unfreeze_from, cache_views=1)
    assert fewer != uncached
    # In float16 it is nearly the same, and the same again.
    half = {"cache_views": 5, "cache_dtype": "float16"}
    rounded, _ = train(backbone, unfreeze_from, **half)
    assert train(backbone, unfreeze_from, **half)[0] == rounded
    for row, other in zip(uncached, rounded, strict=True):
        assert other["loss"] == pytest.approx(row["loss"], rel=0.01)
        assert other["val_loss"] == pytest.approx(row["val_loss"], rel=0.01)


@pytest.mark.parametrize("unfreeze_from", ["none", "all"])
def test_nothing_and_all_unfrozen_train_from_the_cache_too(
    train, unfreeze_from
):
    uncached, _ = train("vgg16_tiny", unfreeze_from)
    cached, _ = train("vgg16_tiny", unfreeze_from, cache_views=5)
    assert cached == uncached


def test_mixes_are_trained_on_and_come_out_the_same_again(train):
    plain, _ = train("vgg16_tiny", "block5_conv1")
    mixes = {"randaugment": True, "mixup": True, "cutmix": True}
    mixed, _ = train("vgg16_tiny", "block5_conv1", **mixes)
    again, _ = train("vgg16_tiny", "block5_conv1", **mixes)
    assert mixed == again != plain
    # With validation features in the cache, in float16.
    half = {"cache_views": 2, "cache_dtype": "float16"}
    cached, _ = train("vgg16_tiny", "block5_conv1", **mixes, **half)
    for row, other in zip(mixed, cached, strict=True):
        assert other["val_loss"] == pytest.approx(row["val_loss"], rel=0.05)


def test_a_full_disk_in_the_middle_changes_nothing_but_the_speed(
    train, monkeypatch, capsys
):
    expected, _ = train("vgg16_tiny", "block5_conv1")
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
    got, _ = train("vgg16_tiny", "block5_conv1", cache_views=5)
    assert len(written) == 4
    assert got == expected
    assert capsys.readouterr().err.count("No space left on device") == 1
