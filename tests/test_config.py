import dataclasses
import os

import pytest

from thaw.config import TrainConfig
from thaw.errors import UserError


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": 0, "head_epochs": 0}, "Nothing to train"),
        ({"momentum": 0.9, "optimizer": "adam"}, "of rmsprop and sgd"),
        ({"mixup": True, "batch_size": 1}, "Give at least `batch_size=2`"),
        ({"cutmix": True, "epochs": 0}, "while fine-tuning, and `epochs` is 0"),
        (
            {"mixup": True, "cutmix": True, "class_weights": "balanced"},
            "Drop it, or `mixup` and `cutmix`",
        ),
        ({"budget": "ten"}, "e.g. 90s, 10m or 1h. Received: 'ten'"),
        ({"budget": "5m", "trials": 3}, "`budget` or `trials`, not both"),
        ({"learning_rate": "fast"}, "must be `find` or a number from 1e-12"),
        ({"learning_rate": 0}, "Received: 0"),
    ],
)
def test_options_that_contradict_each_other_are_refused(values, message):
    with pytest.raises(UserError) as error:
        TrainConfig(**values)
    assert message in str(error.value)


def test_a_learning_rate_is_a_number_or_to_be_found():
    assert TrainConfig(learning_rate=1).learning_rate == 1.0
    config = TrainConfig(epochs=0, head_epochs=0, learning_rate="find")
    assert config.learning_rate == "find"


def test_paths_become_absolute_and_are_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkdir("photos")
    config = TrainConfig(
        data="photos", cache_dir="cache", backbone="base.keras"
    ).with_absolute_paths()
    assert config.data == str(tmp_path / "photos")
    assert config.cache_dir == str(tmp_path / "cache")
    assert config.backbone == str(tmp_path / "base.keras")
    assert config.given == {"data", "cache_dir", "backbone"}
    for data, expected in (
        ("x-{0..9}.tar", str(tmp_path / "x-{0..9}.tar")),
        ("s3://bucket/x.tar", "s3://bucket/x.tar"),
        ("mnist", "mnist"),
    ):
        config = TrainConfig(data=data).with_absolute_paths()
        assert config.data == expected
    assert TrainConfig().with_absolute_paths() == TrainConfig()


@pytest.mark.parametrize("name", ["auto", "imagenet", "none"])
def test_weights_of_a_name_are_no_folder_of_that_name(
    name, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    os.mkdir(name)
    assert TrainConfig(weights=name).with_absolute_paths().weights == name


def test_the_backbone_is_the_one_that_fits_the_photos():
    assert TrainConfig().backbone_name == "vgg16_tiny"
    assert TrainConfig(data="photos").backbone_name == "vgg16"
    solved = TrainConfig(head="linear", hidden_units=8).head_arguments()
    assert solved["hidden_units"] == solved["dropout"] == 0


def test_two_configs_with_the_same_values_are_equal():
    assert TrainConfig(epochs=10) == TrainConfig()
    assert dataclasses.replace(TrainConfig(), epochs=3) == TrainConfig(epochs=3)


def test_a_home_folder_is_expanded(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    names = ("data", "validation_data", "backbone", "weights", "cache_dir")
    config = TrainConfig(**dict.fromkeys(names, "~/it"))
    assert [getattr(config, x) for x in names] == ["/home/me/it"] * len(names)
