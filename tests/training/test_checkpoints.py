import json
import os

import numpy as np
import pytest

from thaw.training.checkpoints import Checkpoints

ARRAYS = {
    "model/0000/a": np.arange(12, dtype="float32").reshape(3, 4),
    "metrics/0001/b": np.array(7, "uint32"),
}


@pytest.fixture
def checkpoints(tmp_path):
    return Checkpoints(tmp_path / "checkpoint")


def save(checkpoints, number):
    arrays = {name: array + number for name, array in ARRAYS.items()}
    model = checkpoints.path.parent / "model.keras"
    beside = model.with_suffix(".new")
    beside.write_text(f"model {number}")
    os.replace(beside, model)
    checkpoints.save(arrays, {"number": number, "x": 0.1 + number}, model)


def check(checkpoint, number):
    assert checkpoint.state == {"number": number, "x": 0.1 + number}
    assert checkpoint.model.read_text() == f"model {number}"
    assert checkpoint.variables.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        saved = checkpoint.variables[name]
        assert saved.dtype == (array + number).dtype
        np.testing.assert_array_equal(saved, array + number)


def test_what_is_saved_comes_back_and_two_are_kept(checkpoints):
    assert checkpoints.load() is None
    for number in range(4):
        save(checkpoints, number)
        check(checkpoints.load(), number)
    assert sorted(os.listdir(checkpoints.path)) == ["000003", "000004"]
    checkpoints.remove()
    assert not checkpoints.path.exists()
    checkpoints.remove()


FILES = ["variables.npz", "state.json", "model.keras", "manifest.json"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "gone"])
def test_a_damaged_one_is_passed_over_and_said(
    checkpoints, name, damage, capsys
):
    save(checkpoints, 1)
    save(checkpoints, 2)
    path = checkpoints.path / "000002" / name
    contents = bytearray(path.read_bytes())
    path.unlink()
    if damage != "gone":
        if damage == "cut":
            del contents[len(contents) // 2 :]
        elif damage == "flip":
            contents[len(contents) // 2] ^= 1
        path.write_bytes(b"" if damage == "empty" else contents)
    check(checkpoints.load(), 1)
    assert "000002 is damaged" in capsys.readouterr().err
    assert os.listdir(checkpoints.path) == ["000001"]  # or 1 would go first
    save(checkpoints, 3)
    check(checkpoints.load(), 3)
    assert len(os.listdir(checkpoints.path)) == 2


def test_none_is_whole(checkpoints, capsys):
    save(checkpoints, 1)
    (checkpoints.path / "000001" / "manifest.json").write_text("[]")
    assert checkpoints.load() is None
    assert "damaged" in capsys.readouterr().err


@pytest.mark.parametrize("call", range(12))
def test_a_save_that_fails_leaves_those_before(checkpoints, monkeypatch, call):
    """At each flush, link and rename."""
    save(checkpoints, 1)
    save(checkpoints, 2)
    calls = 0

    def failing(function):
        def fail(*args, **kwargs):
            nonlocal calls
            calls += 1
            if calls == call + 1:
                raise OSError(28, "No space left on device")
            return function(*args, **kwargs)

        return fail

    with monkeypatch.context() as patch:
        for name in ("fsync", "replace", "mkdir"):
            patch.setattr(os, name, failing(getattr(os, name)))
        try:
            checkpoints.save(ARRAYS, {"number": 3, "x": 3.1}, None)
            failed = False
        except OSError:
            failed = True
    names = sorted(os.listdir(checkpoints.path))
    assert all(name.isdecimal() for name in names)  # nothing half done
    loaded = checkpoints.load().state["number"]
    assert loaded in (2, 3)
    if failed and names == ["000001", "000002"]:
        check(checkpoints.load(), 2)
    if not failed:
        assert loaded == 3


def test_nothing_is_pickled(checkpoints):
    with pytest.raises(ValueError, match="allow_pickle"):
        checkpoints.save({"a": np.array([object()])}, {})
        checkpoints.load()


def test_the_manifest_says_what_is_in_each_file(checkpoints):
    save(checkpoints, 1)
    folder = checkpoints.path / "000001"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert sorted(manifest) == ["model.keras", "state.json", "variables.npz"]
    for name, (size, digest) in manifest.items():
        assert (folder / name).stat().st_size == size and len(digest) == 64
