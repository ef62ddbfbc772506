import csv
import json
import os
import threading

import pytest

from thaw import atomic


def names(folder):
    return sorted(os.listdir(folder))


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.txt"
    atomic.write_text(path, "old")
    with pytest.raises(ZeroDivisionError), atomic.written_beside(path) as new:
        new.write_text("half")
        assert path.read_text() == "old"
        raise ZeroDivisionError
    assert path.read_text() == "old" and names(tmp_path) == ["a.txt"]
    with atomic.written_beside(path) as new:
        new.write_text("new")
    assert path.read_text() == "new" and names(tmp_path) == ["a.txt"]


def test_a_folder_appears_with_all_its_files(tmp_path):
    (tmp_path / f".b.{threading.get_native_id()}").mkdir()  # of a killed one
    with atomic.written_beside(tmp_path / "b") as new:
        new.mkdir()
        (new / "x").write_text("1")
        assert not (tmp_path / "b").exists()
    assert names(tmp_path) == ["b"] and names(tmp_path / "b") == ["x"]


@pytest.mark.parametrize("call", range(4))
def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch, call):
    """At each flush, and at the renaming."""
    atomic.write_text(tmp_path / "a", "old")
    calls = 0

    def failing(function):
        def fail(*arguments):
            nonlocal calls
            calls += 1
            if calls == call + 1:
                raise OSError(28, "No space left on device")
            return function(*arguments)

        return fail

    with monkeypatch.context() as patch:
        for name in ("fsync", "replace"):
            patch.setattr(os, name, failing(getattr(os, name)))
        try:
            atomic.write_text(tmp_path / "a", "new")
        except OSError:
            assert call < 3
        else:
            assert call == 3
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == ("old" if call < 2 else "new")


def test_names_that_are_not_utf_8_come_back(tmp_path):
    name = os.fsdecode(b"photo\xff.jpg")
    atomic.write_text(tmp_path / "a.txt", name)
    assert (tmp_path / "a.txt").read_bytes() == b"photo\xff.jpg"
    atomic.write_json(tmp_path / "a.json", {"name": name, "class": "\u00fc"})
    text = (tmp_path / "a.json").read_text("utf-8")
    assert "\u00fc" in text and json.loads(text)["name"] == name
    atomic.write_csv(tmp_path / "a.csv", [("path", "x"), (name, 1)])
    with atomic.open_text(tmp_path / "a.csv") as file:
        assert list(csv.reader(file)) == [["path", "x"], [name, "1"]]


def test_a_cached_folder_is_made_once(tmp_path):
    folder = tmp_path / "new" / "folder"

    def make(path):
        (path / "x").write_text("1")

    assert atomic.cached_folder(folder, make) == folder
    assert names(folder) == ["x"]
    assert atomic.cached_folder(folder, None) == folder
    with pytest.raises(ZeroDivisionError):
        atomic.cached_folder(tmp_path / "other", lambda path: 1 / 0)
    assert names(tmp_path) == ["new"] and names(folder.parent) == ["folder"]


def test_of_two_that_make_a_folder_at_once_one_is_used(tmp_path):
    def make(path):
        (path / "mine").write_text("")
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "theirs").write_text("")

    atomic.cached_folder(tmp_path / "a", make)
    assert names(tmp_path) == ["a"] and names(tmp_path / "a") == ["theirs"]
