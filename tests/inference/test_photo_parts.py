import tarfile
import tempfile
from types import SimpleNamespace

import fsspec
import numpy as np
import pytest

from model_zoo import build_model
from thaw.errors import UserError
from thaw.inference import photo_parts
from thaw.inference.photo_parts import Source, find_source, make_parts, staged
from thaw.inference.predictions import predict, predict_parts


@pytest.fixture(scope="module")
def run():
    model = build_model("vgg16_tiny", 2, weights="auto", image_size=48)
    return SimpleNamespace(
        model=model, class_names=("cat", "dog"), pixel_ranges={}
    )


@pytest.fixture
def local(drawn_photos):
    return sorted(map(str, drawn_photos.glob("cat/*.jpg")))[:6]


@pytest.fixture
def store(local):
    """A store with six photos in two folders, a table and a text."""
    files = fsspec.filesystem("memory")
    for number, path in enumerate(local):
        files.put(path, f"/photos/{number % 2}/{number}.jpg")
    files.pipe("/photos/notes.txt", b"no photo")
    files.pipe(
        "/photos/list.csv", b"id,path\n1,0/0.jpg\n2,./1/1.jpg\n3,0/9.jpg"
    )
    yield files
    files.rm("/photos", recursive=True)


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def find_names(argument):
    return find_source(argument).names


def probabilities(predictions):
    return [[*x.probabilities.values()] for x in predictions]


def test_names_at_addresses(store):
    assert find_names("memory://photos/0/0.jpg") == ["memory://photos/0/0.jpg"]
    names = find_names("memory://photos/1")
    assert names == [f"memory:///photos/1/{number}.jpg" for number in (1, 3, 5)]
    assert find_names("memory://photos/list.csv") == [
        "memory://photos/0/0.jpg",
        "memory://photos/1/1.jpg",
        "memory://photos/0/9.jpg",
    ]
    for address, message in (
        ("memory://gone", "No photos under memory://gone"),
        ("memory://photos/gone.csv", "There is no memory://photos/gone.csv"),
        ("nosuch://bucket/", "Protocol not known: nosuch"),
    ):
        with pytest.raises(UserError, match=message):
            find_names(address)
    store.pipe("/photos/own.csv", b"url\nfile:///etc/passwd\n")
    with pytest.raises(UserError, match="names files of this machine, file:"):
        find_names("memory://photos/own.csv")
    with pytest.raises(UserError, match="reads one address through another"):
        find_names("memory://photos/simplecache::file://etc/")
    store.pipe("/photos/bad.csv", b"name,label\na,b")
    with pytest.raises(UserError, match=r"one column of photos.*name, label"):
        find_names("memory://photos/bad.csv")


def test_photos_at_addresses_are_predicted_like_local_ones(
    run, store, local, temporary, monkeypatch
):
    monkeypatch.setattr("thaw.inference.photo_paths._PART", 2)
    found = list(predict(run, ["memory://photos/0", "memory://photos/1"]))
    expected = list(predict(run, [*local[::2], *local[1::2]]))
    assert [x.path for x in found] == [
        *find_names("memory://photos/0"),
        *find_names("memory://photos/1"),
    ]
    np.testing.assert_array_equal(probabilities(found), probabilities(expected))
    assert not list(temporary.iterdir())


def test_addresses_tar_files_and_paths_together(
    run, store, local, temporary, tmp_path_factory
):
    shard = tmp_path_factory.mktemp("shards") / "a.tar"
    with tarfile.open(shard, "w") as opened:
        opened.add(local[0], "a.jpg")
    store.put(str(shard), "/photos/tars/a.tar")
    arguments = [
        "memory://photos/0/0.jpg", "memory://photos/tars/",
        "memory://photos/1/1.jpg", local[2],
    ]  # fmt: skip
    found = list(predict(run, arguments))
    assert [x.path for x in found] == [
        "memory://photos/0/0.jpg", "memory:///photos/tars/a.tar/a.jpg",
        "memory://photos/1/1.jpg", local[2],
    ]  # fmt: skip
    expected = predict(run, [local[0], local[0], local[1], local[2]])
    np.testing.assert_allclose(
        probabilities(found), probabilities(expected), atol=1e-6
    )
    assert not list(temporary.iterdir())


def test_one_that_is_missing_says_so(run, store, local):
    names = ["memory://photos/0/0.jpg", "memory://photos/0/9.jpg", local[1]]
    found = list(predict_parts(run, [names]))
    assert [x.path for x in found] == names
    assert [x.error for x in found] == [None, "No such file or directory", None]


def test_photos_in_tar_files_are_predicted_in_sequence(
    run, local, temporary, tmp_path_factory, monkeypatch
):
    folder = tmp_path_factory.mktemp("shards")
    for number in range(2):
        with tarfile.open(folder / f"{number}.tar", "w") as shard:
            for path in local[3 * number : 3 * number + 3]:
                shard.add(path, f"x/{path[-8:]}")
                shard.add(__file__, f"x/{path[-8:-4]}.txt")
    monkeypatch.setattr(photo_parts, "_PART", 2)
    pattern = f"{folder}/{{0..1}}.tar"
    assert not find_names(pattern)
    found = list(predict(run, pattern))
    assert [x.path for x in found] == [
        f"{folder}/{number // 3}.tar/x/{path[-8:]}"
        for number, path in enumerate(local)
    ]
    np.testing.assert_array_equal(
        probabilities(found), probabilities(predict(run, local))
    )
    assert not list(temporary.iterdir())


def test_parts_are_removed_when_they_are_done_also_by_an_error(
    store, temporary
):
    names = find_names("memory://photos/0")
    parts = staged([[name] for name in names])
    first = next(parts)
    assert first == names[:1]
    assert open(first.paths[0], "rb").read() == store.cat("/photos/0/0.jpg")
    next(parts)
    with pytest.raises(FileNotFoundError):
        open(first.paths[0])
    parts.close()
    assert not list(temporary.iterdir())


def test_single_photos_are_one_part(local):
    sources = [find_source(path) for path in local]
    assert list(make_parts(sources)) == [local]


def test_a_tar_file_without_photos_is_refused(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as shard:
        shard.add(__file__, "a.txt")
    parts = make_parts([Source(shards=[str(tmp_path / "a.tar")])])
    with pytest.raises(UserError, match="No photos in .*a.tar"):
        list(parts)
