import os
import shutil
import sqlite3

import numpy as np
import pytest

from thaw.data import MAX_PIXELS, inspect, inspection_cache
from thaw.data.photos import Photos


@pytest.fixture
def paths(drawn_photos, tmp_path):
    """Copies of four photos, which a test may change."""
    copies = []
    for photo in sorted(drawn_photos.glob("*/*.jpg"))[:4]:
        copies.append(str(tmp_path / f"{photo.parent.name}-{photo.name}"))
        shutil.copy(photo, copies[-1])
    return tuple(copies)


@pytest.fixture
def decoded(monkeypatch):
    """The paths that were read and decoded."""

    def inspect_all(self, paths):
        seen.extend(paths)
        return original(self, paths)

    seen, original = [], inspect.Inspector.inspect_all
    monkeypatch.setattr(inspect.Inspector, "inspect_all", inspect_all)
    return seen


def inspect_photos(paths, *arguments, **options):
    return inspect.inspect_photos(
        Photos.unlabelled(paths), *arguments, **options
    )


def test_a_second_run_reads_no_photo_again(paths, tmp_path, decoded):
    memo = tmp_path / "photos.sqlite"
    first = inspect_photos(paths, memo)
    assert decoded == list(paths)
    second = inspect_photos(paths, memo)
    assert decoded == list(paths)
    assert first.fingerprint() == second.fingerprint()
    np.testing.assert_array_equal(first.stamps, second.stamps)


def test_without_a_memo_all_is_read(paths, decoded):
    for _ in range(2):
        inspect_photos(paths)
    assert decoded == 2 * list(paths)


def test_a_photo_that_changed_is_read_and_changes_the_fingerprint(
    paths, tmp_path, decoded
):
    """Same size, same time of change: the time of its entry tells."""
    memo = tmp_path / "photos.sqlite"
    before = inspect_photos(paths, memo)
    stat = os.stat(paths[1])
    with open(paths[1], "r+b") as file:
        file.seek(-2, os.SEEK_END)  # the end marker
        file.seek(-20, os.SEEK_CUR)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(paths[1], ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert not before.unchanged(np.arange(4))[1]
    assert before.unchanged(np.array([0, 2, 3])).all()
    decoded.clear()
    after = inspect_photos(paths, memo)
    assert decoded == [paths[1]]
    assert before.fingerprint() != after.fingerprint()


def test_a_copy_with_the_same_bytes_has_the_same_fingerprint(paths, tmp_path):
    copies = tuple(shutil.copy(path, path + ".copy.jpg") for path in paths)
    fingerprints = [
        inspect_photos(some).fingerprint() for some in (paths, copies)
    ]
    assert fingerprints[0] == fingerprints[1]


def reasons(checked):
    return [inspection.reason for inspection in checked.inspections]


def test_what_is_in_a_bad_file_is_remembered(paths, tmp_path, decoded):
    memo = tmp_path / "photos.sqlite"
    with open(paths[2], "wb") as file:
        file.write(b"no photo")
    for _ in range(2):
        checked = inspect_photos(paths, memo)
        assert reasons(checked) == [None, None, "not an image", None]
    assert decoded == list(paths)


def test_what_is_not_in_the_file_is_not_remembered(paths, tmp_path, decoded):
    """A photo that is missing may come back."""
    memo = tmp_path / "photos.sqlite"
    missing = (*paths, str(tmp_path / "none.jpg"))
    for _ in range(2):
        checked = inspect_photos(missing, memo)
        assert reasons(checked)[4] == "No such file or directory"
    assert decoded == [*missing, missing[4]]


def test_ctrl_c_keeps_what_was_looked_at(paths, tmp_path, decoded):
    memo = tmp_path / "photos.sqlite"

    def interrupt(done):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        inspect_photos(paths, memo, progress=interrupt)
    photos = Photos.unlabelled(paths)
    known = inspect.recall(photos, memo, MAX_PIXELS).inspections
    assert len([one for one in known if one is not None]) >= 3
    decoded.clear()
    done = []
    inspect_photos(paths, memo, progress=done.append)
    assert decoded == [
        path for path, one in zip(paths, known, strict=True) if one is None
    ]
    assert done == list(range(5 - len(decoded), 5))


def test_another_pillow_looks_again(paths, tmp_path, decoded, monkeypatch):
    memo = tmp_path / "photos.sqlite"
    inspect_photos(paths, memo)
    monkeypatch.setattr(inspection_cache, "_READER", "another")
    inspect_photos(paths, memo)
    assert decoded == 2 * list(paths)


def test_what_is_known_has_to_fit_max_pixels_all_the_same(paths, tmp_path):
    memo = tmp_path / "photos.sqlite"
    assert reasons(inspect_photos(paths, memo)) == 4 * [None]
    for _ in range(2):  # the second time from memory
        inspect_photos(paths, memo, max_pixels=100)
    for why in reasons(inspect_photos(paths, memo, max_pixels=100)):
        assert why.startswith("more pixels than `max_pixels` (")
    assert reasons(inspect_photos(paths, memo)) == 4 * [None]


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0junk"])
def test_a_damaged_memo_is_made_anew(paths, tmp_path, decoded, content):
    memo = tmp_path / "photos.sqlite"
    memo.write_bytes(content * 100)
    for _ in range(2):
        inspect_photos(paths, memo)
    assert decoded == list(paths)


def test_a_locked_memo_is_said_and_done_without(
    paths, tmp_path, decoded, capsys, monkeypatch
):
    memo = tmp_path / "photos.sqlite"
    connect = sqlite3.connect
    monkeypatch.setattr(
        inspection_cache.sqlite3,
        "connect",
        lambda path: connect(path, timeout=0.01),
    )
    other = connect(memo)
    other.execute("BEGIN EXCLUSIVE")
    inspect_photos(paths, memo)
    assert decoded == list(paths)
    assert "locked" in capsys.readouterr().err


def test_parts_keep_their_photos(paths):
    part = inspect_photos(paths).take(np.array([1, 2]))
    assert part.paths == paths[1:3]
    assert part.stamps.shape == (2, 3) and len(part.inspections) == 2
    assert (part + part).paths == 2 * paths[1:3]
    assert part.unchanged(np.arange(2)).all()
