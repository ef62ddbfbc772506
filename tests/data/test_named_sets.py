import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest

from tests.support.paths import ROOT
from thaw.data import named_sets
from thaw.data.load import load_photos
from thaw.errors import UserError


def test_arrays_become_folders_once(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    calls = []

    def load_data():
        calls.append(1)
        return [
            (
                rng.integers(0, 256, (n, 28, 28), dtype="uint8"),
                np.arange(n) % 10,
            )
            for n in (40, 20)
        ]

    monkeypatch.setattr(keras.datasets.mnist, "load_data", load_data)
    for _ in range(2):
        folder = named_sets.load_named_set("mnist", tmp_path)
    assert len(calls) == 1
    train, validation = load_photos(folder)
    assert train.class_names == tuple("0123456789")
    assert set(train.counts().values()) == {4}
    assert set(validation.counts().values()) == {2}


def make_zip(path, train, validation):
    with zipfile.ZipFile(path, "w") as archive:
        for side, count in (("train", train), ("validation", validation)):
            for name in ("cats", "dogs"):
                for i in range(count):
                    archive.writestr(
                        f"cats_and_dogs_filtered/{side}/{name}/{name}.{i}.jpg",
                        b"",
                    )


@pytest.mark.parametrize("train, fits", [(1000, True), (999, False)])
def test_cats_vs_dogs_is_unpacked_and_counted(
    tmp_path, monkeypatch, train, fits
):
    make_zip(tmp_path / "set.zip", train, 500)
    monkeypatch.setattr(
        named_sets, "_CATS_VS_DOGS_URL", (tmp_path / "set.zip").as_uri()
    )
    (tmp_path / "keras").mkdir()  # Keras takes another one if it is missing
    get_file = keras.utils.get_file
    monkeypatch.setattr(
        keras.utils,
        "get_file",
        lambda *args, **kwargs: get_file(
            *args, cache_dir=str(tmp_path / "keras"), **kwargs
        ),
    )
    if not fits:
        with pytest.raises(UserError, match="1998 photos in train, expected"):
            named_sets.load_named_set("cats_vs_dogs", tmp_path / "cache")
        return
    folder = named_sets.load_named_set("cats_vs_dogs", tmp_path / "cache")
    assert len(list(folder.glob("train/dogs/*.jpg"))) == 1000
    assert len(list(folder.glob("validation/cats/*.jpg"))) == 500


def test_without_a_network_it_is_one_message(tmp_path, monkeypatch):
    monkeypatch.setattr(
        named_sets, "_CATS_VS_DOGS_URL", "http://localhost:9/set.zip"
    )
    with pytest.raises(UserError, match="Cannot download cats_vs_dogs"):
        named_sets.load_named_set("cats_vs_dogs", tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_misspelt_name_is_named(tmp_path):
    process = subprocess.run(
        [sys.executable, ROOT / "train.py", "--data=MNISST"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 2
    assert "no folder MNISST. Did you mean mnist?" in process.stderr
