import os

import numpy as np
import pytest

from thaw.cache.folder import CacheFolder

OLD, OLDER, OWN = "1" * 32, "2" * 32, "3" * 32


@pytest.fixture
def folder(tmp_path):
    """A folder with three entries of 1,000 values each; and other things."""
    folder = CacheFolder(tmp_path / "new" / "cache", limit_bytes=30_000)
    for key, age in ((OLD, 10), (OLDER, 20), (OWN, 30)):
        folder.write_array(key, "0000-00000000.npy", np.arange(1000))
        os.utime(folder.path / key, (age_to_time(age),) * 2)
    (folder.path / "holiday").mkdir()
    (folder.path / "holiday" / "photo.jpg").write_bytes(b"mine")
    (folder.path / "photos.sqlite").write_bytes(b"")
    return folder


def age_to_time(age):
    return 1_700_000_000 - age


def entries(folder):
    return {path.name for path in folder.path.iterdir() if len(path.name) == 32}


def test_arrays_come_back_as_numpy_files(folder):
    path = folder.path / OWN / "0000-00000000.npy"
    np.testing.assert_array_equal(np.load(path), np.arange(1000))
    assert folder.size(OWN) == path.stat().st_size
    assert folder.size("4" * 32) == 0


def test_room_is_the_limit_or_what_the_disk_has(folder, monkeypatch):
    assert folder.room_for({OWN}) == 30_000
    monkeypatch.setattr(
        "thaw.cache.folder.shutil.disk_usage",
        lambda path: type("Usage", (), {"free": 1000}),
    )
    taken = sum(folder.size(key) for key in (OLD, OLDER, OWN))
    assert folder.room_for({OWN}) == taken + 900


def test_the_least_recently_used_goes_first(folder):
    folder.make_room({OWN}, needed_bytes=10_000, room_bytes=30_000)
    assert entries(folder) == {OLD, OLDER, OWN}
    folder.make_room({OWN}, needed_bytes=20_000, room_bytes=30_000)
    assert entries(folder) == {OLD, OWN}
    folder.make_room({OWN}, needed_bytes=30_000, room_bytes=30_000)
    assert entries(folder) == {OWN}
    assert (folder.path / "holiday" / "photo.jpg").exists()
    assert (folder.path / "photos.sqlite").exists()


def test_making_room_marks_an_entry_as_used(folder):
    folder.make_room({OWN}, needed_bytes=0, room_bytes=30_000)
    folder.make_room(set(), needed_bytes=20_000, room_bytes=30_000)
    assert entries(folder) == {OWN}


def test_entries_with_files_of_others_are_left_alone(folder):
    (folder.path / OLDER / "thesis.txt").write_text("mine")
    folder.make_room({OWN}, needed_bytes=30_000, room_bytes=30_000)
    assert (folder.path / OLDER / "thesis.txt").exists()
    assert not list((folder.path / OLDER).glob("*.npy"))


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        CacheFolder(tmp_path / "file" / "cache", limit_bytes=1)


def test_the_folder_vanishing_does_not_stop_the_writing(folder):
    for path in (folder.path / OWN).iterdir():
        path.unlink()
    (folder.path / OWN).rmdir()
    assert folder.write_array(OWN, "a.npy", np.arange(3)) is not None
    assert folder.writable
