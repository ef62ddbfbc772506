from pathlib import Path

import pytest

from thaw.errors import UserError
from thaw.inference.photo_paths import find_paths, in_parts


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with five photos and a text."""
    (tmp_path / "a [1]" / "b").mkdir(parents=True)
    for name in ("x.jpg", "y.PNG", "a [1]/1.jpg", "a [1]/b/2.jpg", "[z].jpg"):
        (tmp_path / name).touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("argument", "paths"),
    [
        ("x.jpg", ["x.jpg"]),
        (Path("x.jpg"), ["x.jpg"]),
        ("[z].jpg", ["[z].jpg"]),  # a file before a glob
        ("notes.txt", ["notes.txt"]),  # said to be none when it is read
        ("a [1]", ["a [1]/1.jpg", "a [1]/b/2.jpg"]),
        ("?.*", ["x.jpg", "y.PNG"]),
        ("**", ["[z].jpg", "a [1]/1.jpg", "a [1]/b/2.jpg", "x.jpg", "y.PNG"]),
    ],
)
def test_files_folders_and_globs(folder, argument, paths):
    assert find_paths(argument) == paths


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("gone.jpg", "No photo or folder gone.jpg"),
        ("empty", r"No photos under empty \(.*jpg"),
        ("n*", r"No photos match n\* \("),
    ],
)
def test_what_stands_for_no_photo_is_refused(folder, argument, message):
    with pytest.raises(UserError, match=message):
        find_paths(argument)


def test_parts_keep_the_order_and_are_made_when_asked_for():
    asked = []

    def lists():
        for size in (2, 1030, 0, 1):
            asked.append(size)
            yield [f"{size}.{i}" for i in range(size)]

    parts = in_parts(lists())
    assert asked == []
    assert next(parts) == ["2.0", "2.1"]
    assert asked == [2]
    assert [len(part) for part in parts] == [512, 512, 6, 1]
