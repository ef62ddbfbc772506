import os

import numpy as np
import pytest

from thaw.cache.folder import CacheFolder
from thaw.cache.shards import FeatureCache

KEY = "ab" * 16
SHAPES = [(2, 3), (4,)]
N = 10


@pytest.fixture
def folder(tmp_path):
    return CacheFolder(tmp_path / "cache", limit_bytes=10**9)


def make_cache(folder, key=KEY, num_views=2, dtype="float16"):
    return FeatureCache(
        SHAPES, N, num_views=num_views, dtype=dtype, folder=folder, key=key
    )


def tensors_of(rows, view=0, dtype="float16"):
    rows = np.asarray(rows, "float64") + 100 * view
    return [
        (rows.reshape(-1, *[1] * len(shape)) + np.zeros(shape)).astype(dtype)
        for shape in SHAPES
    ]


def fill(cache, view=0, rows=range(N)):
    rows = np.array(rows)
    cache.append(view, rows, tensors_of(rows, view, cache.dtype))
    cache.flush()


def shards(folder):
    return sorted(folder.path.glob("*/*.npy"))


def test_what_was_stored_is_read_back_by_any_later_cache(folder):
    cache = make_cache(folder)
    fill(cache, view=0, rows=[3, 1, 7])
    fill(cache, view=1)
    for reader in (cache, make_cache(folder)):
        assert np.flatnonzero(reader.stored(0)).tolist() == [1, 3, 7]
        assert reader.stored(1).all()
        for view, row in ((0, 7), (0, 1), (1, 9)):
            expected = tensors_of([row], view)
            for got, tensor in zip(
                reader.read(view, np.array([row])), expected, strict=True
            ):
                assert got.dtype == "float16"
                np.testing.assert_array_equal(got, tensor)


def test_shards_are_mapped_and_not_read_into_memory(folder):
    fill(make_cache(folder))
    cache = make_cache(folder)
    cache.stored(0)
    (tensor, _) = cache._shards[0]
    owner = tensor
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    assert isinstance(owner, np.memmap) and not owner.flags.writeable


def test_a_full_shard_is_on_disk_before_the_flush(folder, monkeypatch):
    monkeypatch.setattr("thaw.cache.shards.SHARD_BYTES", 100)
    cache = make_cache(folder)
    cache.append(0, np.arange(6), tensors_of(range(6)))
    cache._wait()  # for the thread that writes it
    cache.append(0, np.array([8]), tensors_of([8]))  # killed after this one
    assert make_cache(folder).stored(0).sum() == 6


def test_nothing_is_stored_without_views():
    cache = FeatureCache(SHAPES, N)
    cache.append(0, np.arange(N), tensors_of(range(N), dtype="float32"))
    cache.flush()
    assert not cache.stored(0).any()


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: b"",
        lambda content: content[:-5] + bytes([content[-5] ^ 1]) + content[-4:],
        lambda content: content[:140] + b"\xff" + content[141:],  # a row
        lambda content: b"PK\3\4" + content,
        lambda content: content + b"more",
        lambda content: content.replace(b"'descr'", b"'descr(", 1),
    ],
    ids=[
        "torn",
        "empty",
        "one bit",
        "row number",
        "other format",
        "longer",
        "header",
    ],
)
def test_a_damaged_shard_is_found_and_computed_again(folder, damage, capsys):
    fill(make_cache(folder), rows=range(5))
    (path,) = shards(folder)
    content = path.read_bytes()
    damaged = damage(content)
    path.write_bytes(damaged)
    cache = make_cache(folder)
    intact = cache.stored(0)
    if intact.any():  # what follows the array is no part of it
        assert damaged.startswith(content)
    else:
        assert not path.exists()
        assert "1 damaged shard" in capsys.readouterr().err
        fill(cache, rows=range(5))
        assert make_cache(folder).stored(0).sum() == 5


def test_a_shard_that_cannot_be_opened_is_not_removed(folder, monkeypatch):
    fill(make_cache(folder))

    def too_many(*_, **__):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(np.lib.format, "open_memmap", too_many)
    cache = make_cache(folder)
    assert not cache.stored(0).any()
    fill(cache)  # written, but cannot be mapped
    assert cache.stored(0).all()  # it stays in memory
    monkeypatch.undo()
    assert make_cache(folder).stored(0).all()


def test_a_row_stored_twice_stays_where_it_was(folder):
    cache = make_cache(folder)
    fill(cache, rows=range(6))
    before = cache._places[0][3].tolist()
    fill(cache, rows=range(3, 9))
    assert cache._places[0][3].tolist() == before
    rows = np.array([3, 8])
    np.testing.assert_array_equal(cache.read(0, rows)[0], tensors_of(rows)[0])


def test_a_foreign_shard_is_not_read(folder):
    """Of another key, another view, another shape; and other files."""
    other_key = "cd" * 16
    fill(make_cache(folder, key=other_key))
    fill(make_cache(folder), view=1)
    other, own = shards(folder)[-1], shards(folder)[0]
    home = own.parent
    (home / other.name).write_bytes(other.read_bytes())
    (home / own.name.replace("0001-", "0000-")).write_bytes(own.read_bytes())
    np.save(home / "0000-12345678.npy", np.arange(5))
    (home / "notes.txt").write_text("mine")
    cache = make_cache(folder)
    assert not cache.stored(0).any()
    assert cache.stored(1).all()
    assert (home / "notes.txt").exists()
    assert not make_cache(folder, dtype="float32").stored(1).any()


def test_an_object_array_is_not_unpickled(folder):
    home = folder.path / KEY
    home.mkdir()
    array = np.array([{"a": 1}], dtype=object)
    np.save(home / "0000-12345678.npy", array, allow_pickle=True)
    assert not make_cache(folder).stored(0).any()


def test_values_beyond_float16_are_refused(folder):
    cache = make_cache(folder)
    tensors = tensors_of([1])
    tensors[0][0, 1, 1] = -np.inf  # what casting -1e5 gives
    with pytest.raises(FloatingPointError, match="`cache_dtype=float32`"):
        cache.append(0, np.array([1]), tensors)


def test_a_full_disk_is_said_once_and_what_is_stored_stays(
    folder, capsys, monkeypatch
):
    """The disk is full from the second shard on."""
    cache = make_cache(folder)
    fill(cache, rows=[0, 1])

    def no_space(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", no_space)
    fill(cache, rows=[2, 3])
    fill(cache, rows=[4, 5])
    fill(make_cache(folder), view=1)
    error = capsys.readouterr().err
    assert error.count("No space left on device") == 1
    assert error.count("\n") == 1
    assert np.flatnonzero(cache.stored(0)).tolist() == [0, 1, 2, 3]
    assert not list(folder.path.glob("*/.*"))
    monkeypatch.undo()
    assert np.flatnonzero(make_cache(folder).stored(0)).tolist() == [0, 1]


def test_two_runs_that_store_the_same_share_the_shard(folder):
    fill(make_cache(folder))
    fill(make_cache(folder))
    assert len(shards(folder)) == 1


def test_bytes_per_view_are_those_on_disk(folder):
    cache = make_cache(folder)
    fill(cache)
    (path,) = shards(folder)
    assert 0 <= path.stat().st_size - cache.bytes_per_view <= 512
