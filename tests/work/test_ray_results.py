"""Features and predictions by Ray beside those of one process."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.support.runs import make_run
from thaw import TrainConfig
from thaw.data import MAX_PIXELS, photo_report
from thaw.data.inspect import recall
from thaw.feature_parts import fill_part
from thaw.run import Run
from thaw.training import request
from thaw.training.engine_filling import fill_caches
from thaw.training.preparing import preparing
from thaw.work.options import EngineOptions
from thaw.work.part import Part

pytestmark = pytest.mark.ray


def make_config(data, cache_dir, **changed):
    return TrainConfig(
        data=str(data), cache_dir=str(cache_dir), backbone="vgg16_tiny",
        unfreeze_from="block5_conv1", image_size=48, batch_size=8, epochs=2,
        cache_views=2, frozen_runtime="tensorflow",
        frozen_precision="float32", **changed,
    )  # fmt: skip


def features(cache_dir):
    """Returns the stored record of each photo, by key, view and row."""
    found = {}
    for path in cache_dir.rglob("*.npy"):
        for record in np.load(path):
            key = path.parent.name, path.name[:4], int(record["row"])
            assert key not in found
            found[key] = record.tobytes()
    return found


def fill(config, options):
    resolved, path = request.resolve(config, None, None, False, {})
    with preparing(resolved, path, verbose=0) as prepared:
        fill_caches(prepared, options)


# Before those that join a cluster: Ray has to forget the token of this one.
def test_features_are_those_of_one_process(drawn_photos, tmp_path):
    alone = make_config(drawn_photos, tmp_path / "alone")
    fill_part(alone, Part(), verbose=0)
    by_ray = make_config(drawn_photos, tmp_path / "ray")
    options = EngineOptions(engine="ray", workers=2)  # a cluster of its own
    fill(by_ray, options)
    expected = features(tmp_path / "alone")
    assert len(expected) == 38 + 2 * 38 + 2 * 10
    assert features(tmp_path / "ray") == expected
    assert not [*(tmp_path / "ray").glob("probe*")]
    fill(by_ray, options)  # without Ray: nothing is missing
    assert features(tmp_path / "ray") == expected


def test_predictions_are_those_of_one_process(
    drawn_photos, options, tmp_path, monkeypatch, capsys
):
    run = Run(make_run(tmp_path / "run"))
    shutil.copytree(drawn_photos, tmp_path / "photos")
    (tmp_path / "photos" / "dog" / "0020-text.jpg").write_text("hello")
    monkeypatch.chdir(tmp_path)  # workers have another one
    paths = sorted(map(str, (tmp_path / "photos").glob("*/*.jpg")))
    paths = [path.removeprefix(f"{tmp_path}/") for path in paths]
    for name, engine in {"alone": EngineOptions(), "ray": options}.items():
        assert run.write_predictions(paths, name, **engine.keywords()) == 1
    said = capsys.readouterr()
    assert said.err.count("photos/dog/0020-text.jpg: not an image") == 2
    assert said.out.count("Complete: 48 photos predicted, 1 cannot") == 2
    alone, by_ray = (
        {path.name: path.read_bytes() for path in (tmp_path / x).glob("*-*")}
        for x in ("alone", "ray")
    )
    assert len(alone) == 3
    assert by_ray == alone


def test_photos_are_checked_as_in_one_process(
    drawn_photos, options, tmp_path, monkeypatch
):
    from pyarrow import parquet

    shutil.copytree(drawn_photos, tmp_path / "photos")
    (tmp_path / "photos" / "dog" / "0020-text.jpg").write_text("hello")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(photo_report, "default_memo", lambda: memo)
    found = {}
    for name, engine in {"alone": EngineOptions(), "ray": options}.items():
        memo = tmp_path / f"{name}.sqlite"
        found[name] = photo_report.check_photos(
            "photos", output_dir=name, **engine.keywords()
        )
    assert found["alone"].photos.inspections == found["ray"].photos.inspections
    assert str(found["alone"]) == str(found["ray"])
    assert found["ray"].files[:-1] == tuple(
        Path("ray", path.name) for path in found["alone"].files
    )
    known = recall(found["ray"].photos, memo, MAX_PIXELS)
    assert None not in known.inspections  # the workers', or they'd be slow
    rows = parquet.read_table(found["ray"].files[-1]).to_pylist()
    assert [x["path"] for x in rows] == list(found["ray"].photos.paths)
    for row, one in zip(rows, found["ray"].photos.inspections, strict=True):
        assert (row["digest"], row["reason"]) == (one.digest, one.reason)
        assert row["label"] in row["path"]
