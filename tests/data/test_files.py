import os
import socket
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.trees import make_files
from thaw.data.class_folders import load_folders
from thaw.data.files import (
    describe_skipped,
    find_files,
    find_photos,
    is_hidden,
    is_photo,
)
from thaw.errors import UserError


def names_in(folder, paths):
    return [os.path.relpath(path, folder) for path in paths]


def test_photos_at_any_depth_sorted(tmp_path):
    make_files(
        tmp_path, "b.JPG", "a/deep/er/c.webp", "a/z.png", "notes.txt", "x"
    )
    (files,) = find_files([tmp_path], tmp_path)
    assert names_in(tmp_path, files.photos) == [
        "a/deep/er/c.webp",
        "a/z.png",
        "b.JPG",
    ]
    assert files.skipped == {".txt": 1, "no extension": 1}


@pytest.mark.parametrize(
    "name",
    [".DS_Store", "._x.jpg", ".ipynb_checkpoints/x.jpg", "Thumbs.db",
     "desktop.ini", "__MACOSX/cat/x.jpg", "@eaDir/x.jpg/SYNOPHOTO_XL.jpg"],
)  # fmt: skip
def test_what_systems_leave_is_not_even_counted(tmp_path, name):
    make_files(tmp_path, "a.jpg", name)
    (files,) = find_files([tmp_path], tmp_path)
    assert names_in(tmp_path, files.photos) == ["a.jpg"]
    assert not files.skipped


def test_links_inside_are_followed_and_others_are_not(tmp_path):
    root = tmp_path / "root"
    make_files(root, "store/1", "store/2.jpg", "cat/3.jpg", "more/4.jpg")
    make_files(tmp_path, "outside/5.jpg")
    for name, target in [
        ("cat/1.jpg", root / "store" / "1"),  # has no ending, as in some caches
        ("cat/2.jpg", "../store/2.jpg"),
        ("cat/again.jpg", "3.jpg"),
        ("cat/more", "../more"),
        ("cat/up", ".."),
        ("cat/self", "self"),
        ("cat/dead.jpg", "nothing"),
        ("cat/out.jpg", "../../outside/5.jpg"),
        ("cat/outside", tmp_path / "outside"),
        ("cat/null.jpg", "/dev/null"),
        ("cat/same", "more"),
    ]:
        (root / name).symlink_to(target)
    (files,) = find_files([root / "cat"], root)
    assert names_in(root, files.photos) == [
        "cat/1.jpg",
        "cat/2.jpg",
        "cat/3.jpg",
        "cat/more/4.jpg",
    ]
    assert files.skipped == {
        "links to photos that are there already": 1,
        "links to folders that are there already": 1,
        "links to a folder around them": 1,
        "links that lead out": 3,
        "dead links": 2,
    }
    assert describe_skipped(files.skipped).startswith("links to photos")


def test_a_photo_is_of_the_folder_it_lies_in_and_not_of_a_link_before(tmp_path):
    make_files(tmp_path, "dog/1.jpg", "dog/2.jpg", "cat/3.jpg")
    (tmp_path / "cat" / "1.jpg").symlink_to("../dog/1.jpg")
    (tmp_path / "ant").symlink_to("dog")
    ant, cat, dog = find_files(
        [tmp_path / name for name in ("ant", "cat", "dog")], tmp_path
    )
    assert names_in(tmp_path, dog.photos) == ["dog/1.jpg", "dog/2.jpg"]
    assert names_in(tmp_path, cat.photos) == ["cat/3.jpg"]
    assert not ant.photos
    with pytest.raises(UserError, match="ant holds no photos .*already"):
        load_folders(tmp_path)


def test_a_link_and_what_it_leads_to_are_one_photo(tmp_path):
    """The folder is no class, and reached twice: by a file, and by itself."""
    make_files(tmp_path, "store/1.jpg", "store/2.jpg")
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "a.jpg").symlink_to("../store/1.jpg")
    (tmp_path / "cat" / "b").symlink_to("../store")
    (files,) = find_files([tmp_path / "cat"], tmp_path)
    assert names_in(tmp_path, files.photos) == ["cat/a.jpg", "cat/b/2.jpg"]


def test_a_folder_that_is_given_may_be_a_link(tmp_path):
    make_files(tmp_path, "real/a/1.jpg", "real/b/1.jpg")
    (tmp_path / "link").symlink_to("real")
    found = find_photos(tmp_path / "link")
    assert names_in(tmp_path, found) == ["link/a/1.jpg", "link/b/1.jpg"]
    assert load_folders(tmp_path / "link")[0].class_names == ("a", "b")


def test_class_folders_that_lead_out_are_an_error(tmp_path):
    make_files(tmp_path, "elsewhere/1.jpg", "data/cat/1.jpg")
    (tmp_path / "data" / "dog").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="dog is a link that leads out of"):
        load_folders(tmp_path / "data")


def test_special_files_are_never_opened(tmp_path):
    make_files(tmp_path, "a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as listener:
        previous = os.getcwd()
        os.chdir(tmp_path)  # the whole path may be too long for one
        listener.bind("socket.jpg")
        os.chdir(previous)
    (files,) = find_files([tmp_path], tmp_path)
    assert names_in(tmp_path, files.photos) == ["a.jpg"]
    assert files.skipped == {"special files": 2}


NAMES = st.sampled_from(
    [b"a", b"b.jpg", b"c.PNG", b"d.txt", b".e.jpg", b"f g.gif", b"\xff.jpg",
     "\u00fc.webp".encode(), b"Thumbs.db", b"new\nline.jpg", b"-x.bmp"]
)  # fmt: skip
PLACES = st.lists(NAMES, min_size=1, max_size=3).map(b"/".join)
ENTRIES = st.tuples(
    PLACES, st.sampled_from(["file", "folder", "fifo", "link"]), PLACES
)


@given(st.lists(ENTRIES, max_size=14))
@settings(max_examples=300, deadline=None)
def test_of_any_tree_each_real_photo_once(entries):
    with tempfile.TemporaryDirectory() as place:
        root = os.path.join(os.path.realpath(place), "root")
        make_tree(os.fsencode(root), entries)
        found = find_photos(root)
        assert found == sorted(found)
        real_paths = [os.path.realpath(path) for path in found]
        assert len(set(real_paths)) == len(found)
        for path, real_path in zip(found, real_paths, strict=True):
            assert os.path.isfile(path) and is_photo(path)
            assert real_path.startswith(root + os.sep)
            parts = os.path.relpath(path, root).split(os.sep)
            assert not any(map(is_hidden, parts))
        # What is no link is there by its own name.
        for folder, _, names in os.walk(root):
            for name in filter(is_photo, names):
                path = os.path.join(folder, name)
                parts = os.path.relpath(path, root).split(os.sep)
                if (
                    os.path.isfile(path)
                    and not os.path.islink(path)
                    and not any(map(is_hidden, parts))
                ):
                    assert path in found
        try:
            photos, _ = load_folders(root)
        except UserError:
            return
        of_class = {}
        for path, label in zip(photos.paths, photos.labels, strict=True):
            folders = os.path.relpath(path, root).split(os.sep)[:-1]
            assert photos.class_names[label] in folders
            of_class[os.path.realpath(path)] = label
        assert len(of_class) == len(photos)
        assert set(of_class) <= set(real_paths)


def make_tree(root, entries):
    os.mkdir(root)
    for place, kind, target in entries:
        path = os.path.join(root, place)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if kind == "file":
                with open(path, "xb"):
                    pass
            elif kind == "folder":
                os.makedirs(path, exist_ok=True)
            elif kind == "fifo":
                os.mkfifo(path)
            else:  # to another entry, itself, nothing or out
                up = b"../" * place.count(b"/")
                os.symlink(up + target, path)
        except OSError:  # e.g. a file is where a folder has to be
            continue
