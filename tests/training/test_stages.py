import keras
import numpy as np
import pytest

from augment import Affine, Mixes
from model_zoo import build_model
from thaw.cache.folder import CacheFolder
from thaw.cache.plan import plan_stage_inputs
from thaw.data.datasets import PhotoViews
from thaw.data.inspection_cache import check_contents
from thaw.data.split import load_photos, stratified_rows
from thaw.runs.writer import RunFolder
from thaw.training.checkpoints import Checkpoints
from thaw.training.history import KeptEpoch
from thaw.training.interruption import StopRequest
from thaw.training.losses import crossentropy
from thaw.training.stage import Settings, Stage
from thaw.training.stages import run_stage
from thaw.training.state import RunState

SIZE = 32


@pytest.fixture
def train(drawn_photos, tmp_path):
    """Function that trains both stages; returns the losses and the model."""
    (photos,) = load_photos(drawn_photos)
    both = [photos.take(rows) for rows in stratified_rows(photos, 0.2, 0)]

    def train(
        backbone,
        unfreeze_from,
        num_views=0,
        dtype="float32",
        epochs=(2, 2),
        mix=None,
    ):
        keras.utils.set_random_seed(0)
        model = build_model(
            backbone,
            weights="none",
            image_size=SIZE,
            unfreeze_from=unfreeze_from,
            hidden_units=16,
        )
        resize = model.get_layer("resize")
        train_views, val_views = (
            PhotoViews(
                photos,
                resize,
                SIZE,
                seed=seed,
                augment=augment,
                contents=check_contents(photos.paths),
            )
            for photos, seed, augment in zip(
                both, (0, None), (Affine(seed=0), None), strict=True
            )
        )
        stages = [
            Stage("head", "none", epochs[0], 1e-3, one_view=True),
            Stage("fine_tune", unfreeze_from, epochs[1], 1e-4),
        ]
        folder = CacheFolder(tmp_path / "cache", limit_bytes=10**9)
        inputs = plan_stage_inputs(
            model,
            stages,
            train_views,
            val_views,
            folder if num_views else None,
            num_views=num_views,
            dtype=dtype,
            batch_size=8,
            steps_per_epoch=5,
            device="",
        )
        number = len(list(tmp_path.iterdir()))
        run = RunFolder.create(tmp_path / f"run{number}")
        kept_epoch = KeptEpoch(run, model, ["cat", "dog"])
        state = RunState(
            model, kept_epoch, Checkpoints(run.path / "checkpoint")
        )
        with StopRequest() as stop:
            for i, stage in enumerate(stages):
                run_stage(
                    i,
                    stage,
                    model,
                    inputs[i:],
                    train_views,
                    val_views,
                    settings=Settings(
                        batch_size=8,
                        steps_per_epoch=5,
                        loss=crossentropy(2, 0.0, mixed=mix is not None),
                        mix=mix,
                    ),
                    run_state=state,
                    stop=stop,
                )
        history = [
            {key: value for key, value in row.items() if key != "seconds"}
            for row in kept_epoch.history
        ]
        return history, model

    return train


MODELS = pytest.mark.parametrize(
    "backbone, unfreeze_from",
    [
        ("vgg16_tiny", "block5_conv1"),
        ("efficientnetb0", "block6c_project_bn"),  # branches, Dropout, BN
    ],
)


@MODELS
def test_cached_and_uncached_training_are_equal_bit_for_bit(
    train, backbone, unfreeze_from
):
    """38 photos, 40 a epoch: passes begin inside epochs and batches."""
    uncached, model = train(backbone, unfreeze_from)
    for _ in range(2):  # computed, then read back
        cached, other = train(backbone, unfreeze_from, num_views=5)
        assert cached == uncached
        for a, b in zip(model.weights, other.weights, strict=True):
            np.testing.assert_array_equal(a, b)
    fewer, _ = train(backbone, unfreeze_from, num_views=1)
    assert fewer != uncached


@MODELS
def test_float16_changes_the_loss_by_less_than_a_hundredth(
    train, backbone, unfreeze_from
):
    exact, _ = train(backbone, unfreeze_from)
    cached, _ = train(backbone, unfreeze_from, num_views=5, dtype="float16")
    again, _ = train(backbone, unfreeze_from, num_views=5, dtype="float16")
    assert cached == again
    for row, other in zip(exact, cached, strict=True):
        assert other["loss"] == pytest.approx(row["loss"], rel=0.01)
        assert other["val_loss"] == pytest.approx(row["val_loss"], rel=0.01)


@pytest.mark.parametrize("unfreeze_from", ["none", "all"])
def test_nothing_and_all_unfrozen_train_from_the_cache_too(
    train, unfreeze_from
):
    uncached, _ = train("vgg16_tiny", unfreeze_from)
    cached, _ = train("vgg16_tiny", unfreeze_from, num_views=5)
    assert cached == uncached


def test_mixes_are_trained_on_and_come_out_the_same_again(train):
    plain, _ = train("vgg16_tiny", "block5_conv1")
    mix = Mixes(0, 2, randaugment=True, mixup=True, cutmix=True)
    mixed, _ = train("vgg16_tiny", "block5_conv1", mix=mix)
    again, _ = train("vgg16_tiny", "block5_conv1", mix=mix)
    assert mixed == again != plain


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
    got, _ = train("vgg16_tiny", "block5_conv1", num_views=5)
    assert len(written) == 4
    assert got == expected
    assert capsys.readouterr().err.count("No space left on device") == 1
