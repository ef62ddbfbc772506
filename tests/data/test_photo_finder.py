import os
import unicodedata

import pytest

from thaw.data.photo_finder import PhotoFinder

CAFE = unicodedata.normalize("NFD", "café.jpg")


@pytest.fixture
def finder(tmp_path):
    for name in (
        "Images/0.JPG",
        "Images/1.jpg",
        "Images/deep/1.jpg",
        "Images/2.PNG",
        "Images/2.png",
        "Images/2.Png",
        f"Images/{CAFE}",
        "back\\slash.jpg",
        "note.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return PhotoFinder(tmp_path)


def names(finder, paths):
    root = finder.expected_path("")
    return [os.path.relpath(path, root) for path in paths]


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("Images/0.JPG", ["Images/0.JPG"]),
        ("./Images/deep/../0.JPG", ["Images/0.JPG"]),
        ("images/0.jpg", ["Images/0.JPG"]),
        ("IMAGES\\DEEP\\1.jpg", ["Images/deep/1.jpg"]),
        ("back\\slash.jpg", ["back\\slash.jpg"]),
        ("Images/café.jpg", [f"Images/{CAFE}"]),
        ("Images/2.png", ["Images/2.png"]),
        ("Images/2.pNG", []),  # three would fit
        ("0.JPG", []),
        ("nowhere/0.JPG", []),
        ("Images", []),
        ("", []),
        ("x" * 5000 + "/y", []),
    ],
)
def test_paths(finder, cell, found):
    assert names(finder, finder.at_path(cell)) == found


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("0.JPG", ["Images/0.JPG"]),
        ("0", ["Images/0.JPG"]),
        ("0.jpg", ["Images/0.JPG"]),
        ("1.jpg", ["Images/1.jpg", "Images/deep/1.jpg"]),
        ("deep/1", ["Images/deep/1.jpg"]),
        (".\\Deep\\1.jpg", ["Images/deep/1.jpg"]),
        ("eep/1.jpg", []),
        ("/deep/1.jpg", []),
        ("café", [f"Images/{CAFE}"]),
        ("2.pNG", []),
        ("note", []),
        ("", []),
    ],
)
def test_names_anywhere(finder, cell, found):
    assert names(finder, finder.named(cell)) == found


def test_paths_from_the_current_folder(finder, monkeypatch):
    monkeypatch.chdir(finder.expected_path(""))
    here = PhotoFinder(".")
    assert here.at_path("images/0.jpg") == ["Images/0.JPG"]
    assert here.at_path("NOTE.txt") == ["note.txt"]
    assert here.named("0") == ["Images/0.JPG"]
    assert here.expected_path("./x.jpg") == "x.jpg"


def test_a_folder_is_listed_once(finder, monkeypatch):
    listed = []
    scandir = os.scandir
    monkeypatch.setattr(
        os, "scandir", lambda folder: listed.append(folder) or scandir(folder)
    )
    for number in range(100):
        finder.at_path(f"Images/{number}.jpg")
        finder.at_path(f"Nowhere/{number}.jpg")
    root = finder.expected_path("")
    assert sorted(listed) == [root, f"{root}/Images", f"{root}/Nowhere"]
