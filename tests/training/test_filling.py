import shlex

import numpy as np
import pytest

from tests.support.training import epochs_of, results, train
from thaw import TrainConfig, UserError
from thaw.cache.features import Features
from thaw.cache.folder import SHARD_NAME
from thaw.errors import MachineError
from thaw.feature_parts import fill_part
from thaw.training import request
from thaw.training.filling import Filling
from thaw.training.preparing import preparing
from thaw.work.part import Part
from thaw.work.units import count_photos

OPTIONS = {
    "backbone": "vgg16_tiny", "unfreeze_from": "block5_conv1",
    "image_size": 48, "batch_size": 8, "epochs": 2, "cache_views": 2,
    "frozen_runtime": "tensorflow", "frozen_precision": "float32",
}  # fmt: skip
# 38 photos in one view for the head, in two to fine-tune, and 10 to validate
# on; units of 2 batches.
PHOTOS = 38 + 2 * 38 + 10


def make_config(data, cache_dir, **changed):
    options = {**OPTIONS, **changed}
    return TrainConfig(data=str(data), cache_dir=str(cache_dir), **options)


def shards(cache_dir):
    """Returns key and name of all shards: the names hold checksums."""
    paths = cache_dir.rglob("*.npy")
    return {(x.parent.name, x.name) for x in paths}


@pytest.fixture(scope="module")
def filled(drawn_photos, tmp_path_factory):
    """A cache folder that three parts have filled, and the config."""
    folder = tmp_path_factory.mktemp("parts") / "cache"
    config = make_config(drawn_photos, folder)
    for number in (2, 3, 1):
        fill_part(config, Part(number, 3), verbose=0)
    return folder, config


def plan(config, workers=3):
    """Returns the units of a run that are missing."""
    resolved, path = request.resolve(config, None, None, False, {})
    with preparing(resolved, path, verbose=0) as prepared:
        return Filling(prepared).plan(workers)


def test_a_unit_is_one_shard(filled):
    folder, _ = filled
    names = [name for _, name in shards(folder)]
    assert all(map(SHARD_NAME.fullmatch, names))
    # 5 units of 8 photos of the head, 2 x 5 of fine-tuning; 2 to validate on,
    # of which each is a shard of both stages.
    assert len(names) == 5 + 2 * 5 + 2 * 2
    assert sum(name.startswith("0001") for name in names) == 5


def test_a_training_finds_all_features_and_has_the_same_results(
    filled, drawn_photos, tmp_path, monkeypatch
):
    folder, config = filled
    alone = train(
        tmp_path / "alone", data=str(drawn_photos),
        cache_dir=str(tmp_path / "cache"), **OPTIONS,
    )  # fmt: skip

    def fail(self, view, rows, *mixes):
        assert not len(rows)
        return iter(())

    monkeypatch.setattr(Features, "_compute", fail)
    after = train(
        tmp_path / "after", data=str(drawn_photos), cache_dir=str(folder),
        **OPTIONS,
    )  # fmt: skip
    assert epochs_of(after) == epochs_of(alone)
    assert results(tmp_path / "after") == results(tmp_path / "alone")


def test_a_part_that_is_done_computes_nothing(filled, monkeypatch):
    folder, config = filled
    before = shards(folder)
    monkeypatch.setattr(Features, "fill", None)  # isn't called
    fill_part(config, Part(1, 3), verbose=0)
    assert shards(folder) == before
    assert plan(config) == []


def test_a_shard_that_is_lost_is_computed_again_alone(
    filled, drawn_photos, tmp_path
):
    folder, config = filled
    before = shards(folder)
    lost = next(folder.rglob("0001-*.npy"))
    rows = np.load(lost)["row"].tolist()
    lost.unlink()
    (unit,) = plan(config)
    assert (unit.view, list(unit.rows)) == (1, sorted(rows))
    parts = [number for number in (1, 2, 3) if Part(number, 3).take([unit])]
    fill_part(config, Part(*parts, 3), verbose=0)
    assert shards(folder) == before


def test_the_plan_holds_every_view_of_every_photo_once(drawn_photos, tmp_path):
    config = make_config(drawn_photos, tmp_path)
    for workers in (1, 2, 50):
        units = plan(config, workers)
        assert [unit.number for unit in units] == list(range(len(units)))
        assert count_photos(units) == PHOTOS
    # Without augmentation the features of both stages are of one pass.
    units = plan(make_config(drawn_photos, tmp_path, augment="none"))
    assert count_photos(units) == 38 + 10


def test_parts_take_the_runtime_that_the_first_chose(
    drawn_photos, tmp_path, monkeypatch
):
    asked = []

    def choose(*arguments):
        from thaw.cache.runtime import Runtime

        asked.append(arguments)
        return Runtime("tensorflow", "bfloat16")

    monkeypatch.setattr("thaw.training.shared_runtime.choose_runtime", choose)
    config = make_config(drawn_photos, tmp_path, frozen_precision="auto")
    for number in (39, 40):  # there are fewer units
        decided = fill_part(config, Part(number, 40), verbose=0)
        assert decided.frozen_runtime == "tensorflow"
        assert decided.frozen_precision == "bfloat16"
    assert len(asked) == 1


def test_another_kind_of_machine_is_refused(filled, monkeypatch):
    folder, config = filled
    before = shards(folder)
    monkeypatch.setattr("thaw.work.machine.device_kind", lambda: "CPU (sse)")
    with pytest.raises(
        UserError,
        match=r"another kind of machine.*\n"
        r"device: expected CPU \(.*\), this machine has CPU \(sse\)$",
    ):
        fill_part(config, Part(1, 3), verbose=0)
    assert shards(folder) == before


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"cache_views": 0}, "this run has none"),
        ({"cache_limit_gb": 0}, "this run keeps none"),
    ],
    ids=str,
)
def test_a_run_without_a_cache_has_no_parts(
    drawn_photos, tmp_path, changed, message
):
    config = make_config(drawn_photos, tmp_path, **changed)
    with pytest.raises(UserError, match=message):
        fill_part(config, Part(1, 3), verbose=0)


def test_a_disk_that_is_full_ends_the_part(drawn_photos, tmp_path, monkeypatch):
    def fail(*arguments):
        raise OSError(28, "No space left on device")

    write = "thaw.cache.folder.np.lib.format.write_array_header_2_0"
    monkeypatch.setattr(write, fail)
    config = make_config(drawn_photos, tmp_path)
    with pytest.raises(MachineError, match="Make room; then run the same"):
        fill_part(config, Part(1, 3), verbose=0)
    assert shards(tmp_path) == set()


def test_the_command_line_prints_the_training_that_follows(
    drawn_photos, tmp_path, run_script
):
    done = run_script(
        "train.py", "--data", drawn_photos, "--backbone=vgg16_tiny",
        "--image_size=32", "--limit=12", "--part=2/2", "--cache_dir=cache",
        "--set=beta_1=0.8", "--run_dir=the run",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    what, *command = shlex.split(done.stdout.splitlines()[-1])[4:]
    assert [what, command[0]] == ["done:", "python"]
    assert set(command[1:]) == {
        "train.py", "--backbone=vgg16_tiny", "--cache_dir=cache",
        f"--data={drawn_photos}", "--frozen_precision=float32",
        "--frozen_runtime=tensorflow", "--image_size=32", "--limit=12",
        "--set=beta_1=0.8", "--run_dir=the run",
    }  # fmt: skip
    assert not (tmp_path / "runs").exists()


def test_a_part_and_a_resumed_run_exclude_each_other(run_script):
    done = run_script("train.py", "--part=1/2", "--resume=runs/x")
    assert done.returncode == 2
    assert "Give --part or --resume, not both." in done.stderr
