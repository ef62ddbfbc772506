from types import SimpleNamespace

import pytest

from model_zoo import build_model
from thaw.config import TrainConfig
from thaw.data.load import load_photos
from thaw.training.plan import make_views


@pytest.mark.parametrize("epochs", [0, 1])
def test_photos_are_held_in_memory_if_they_are_seen_again(drawn_photos, epochs):
    photos, _ = load_photos(drawn_photos)
    config = TrainConfig(
        data=drawn_photos, backbone="vgg16_tiny", image_size=32, epochs=epochs
    )
    model = build_model("vgg16_tiny", image_size=32, weights="none")
    splits = SimpleNamespace(train=photos, validation=photos)
    views = make_views(config, model, splits)
    assert (views.train.kept is not None) == (epochs > 0)
    assert views.clean.kept is views.train.kept
