import io
import json
import shutil
import tarfile
from collections import Counter
from pathlib import Path

import fsspec
import pytest

from thaw.data.load import load_photos
from thaw.data.photo_report import check_photos
from thaw.data.shard_names import find_shards
from thaw.errors import UserError

LABELS = ("cat", "dog")


def pack(path, members):
    """Writes a tar file of (name, bytes)."""
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as shard:
        for name, contents in members:
            info = tarfile.TarInfo(name)
            info.size = len(contents)
            shard.addfile(info, io.BytesIO(contents))
    return path


@pytest.fixture(scope="module")
def photos(drawn_photos):
    """Name, label and bytes of eight photos."""
    return [
        (f"{label}s/{number:04d}", label, path.read_bytes())
        for label in LABELS
        for number, path in enumerate(
            sorted((drawn_photos / label).glob("*.jpg"))[:4]
        )
    ]


def with_classes(photos):
    for key, label, contents in photos:
        yield f"{key}.jpg", contents
        yield f"{key}.cls", f"{label}\n".encode()


def with_json(photos, field="label"):
    for key, label, contents in photos:
        yield f"{key}.json", json.dumps({field: label, "width": 150}).encode()
        yield f"{key}.jpg", contents


@pytest.fixture
def shards(photos, tmp_path):
    """Pattern of two shards with four photos each."""
    pack(tmp_path / "a-000.tar", with_classes(photos[::2]))
    pack(tmp_path / "a-001.tar", with_json(photos[1::2]))
    return str(tmp_path / "a-{000..001}.tar")


def names_of(pattern):
    return [Path(x).name for x in find_shards(pattern)]


def test_names_of_shards(shards, tmp_path):
    both = ["a-000.tar", "a-001.tar"]
    assert names_of(shards) == both
    assert names_of(tmp_path) == both
    assert names_of(tmp_path / "a-*.tar") == both
    assert names_of(tmp_path / "a-001.tar") == both[1:]
    assert names_of(tmp_path / "gone.tar") == []
    (tmp_path / "labels.csv").touch()
    assert names_of(tmp_path) == []
    with pytest.raises(UserError, match="No tar files match"):
        find_shards(tmp_path / "b-*.tar")


def test_photos_and_labels_are_unpacked_once(shards, photos, tmp_path, capsys):
    cache = tmp_path / "cache"
    train, validation = load_photos(shards, cache_dir=cache)
    assert validation is None
    assert train.counts() == {"cat": 4, "dog": 4}
    pairs = zip(train.paths, train.labels, strict=True)
    found = {Path(x).read_bytes(): label for x, label in pairs}
    assert found == {x: LABELS.index(label) for _, label, x in photos}
    assert capsys.readouterr().out.count("Unpacking") == 2
    again, _ = load_photos(shards, cache_dir=cache)
    assert again.paths == train.paths
    assert "Unpacking" not in capsys.readouterr().out
    grouped, _ = load_photos(shards, cache_dir=cache, group_regex=r"^(\w+)/")
    assert Counter(grouped.groups) == {"cats": 4, "dogs": 4}
    first = str(tmp_path / "a-000.tar")
    train, validation = load_photos(first, shards, cache_dir=cache)
    assert (len(train), len(validation)) == (4, 8)


def test_another_field_and_other_members(photos, tmp_path):
    members = [
        *with_json(photos, "species"),
        ("cats/0000.seg.png", b"mask"),
        ("cats/._0000.jpg", b"of macOS"),
    ]
    shard = pack(tmp_path / "a.tar.gz", members)
    train, _ = load_photos(
        shard, cache_dir=tmp_path / "cache", label_column="species"
    )
    assert train.counts() == {"cat": 4, "dog": 4}
    assert train.skipped == Counter({".seg.png": 1})
    # The same without labels is an archive of class folders.
    folders, _ = load_photos(shard, cache_dir=tmp_path / "cache")
    assert set(folders.class_names) == {"cats", "dogs"}


def test_what_is_wrong_is_said(shards, photos, tmp_path):
    cache = tmp_path / "cache"
    members = [*with_classes(photos), ("last.jpg", photos[0][2])]
    unlabelled = pack(tmp_path / "b.tar", members)
    with pytest.raises(UserError, match=r"b.tar: last.jpg has no label"):
        load_photos(unlabelled, cache_dir=cache)
    with pytest.raises(UserError, match="is no tar file, as `data` is"):
        load_photos(shards, tmp_path, cache_dir=cache)
    with pytest.raises(UserError, match="holds labels"):
        load_photos(shards, cache_dir=cache, label_regex="(.)")
    (tmp_path / "a-001.tar").unlink()
    with pytest.raises(UserError, match="There is no file"):
        load_photos(shards, cache_dir=cache)


@pytest.mark.parametrize("name", ["../x.jpg", "/x.jpg"])
def test_hostile_members_are_refused(photos, tmp_path, name):
    pack(tmp_path / "a-0.tar", with_classes(photos))
    pack(tmp_path / "a-1.tar", [(name, b"x")])
    with pytest.raises(UserError, match="is refused"):
        load_photos(
            str(tmp_path / "a-{0..1}.tar"), cache_dir=tmp_path / "cache"
        )


def test_the_doctor_takes_them_too(shards, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    report = check_photos(shards)
    assert not report.bad
    assert report.photos.counts() == {"cat": 4, "dog": 4}


def test_shards_at_an_address(shards, tmp_path):
    store = fsspec.filesystem("memory")
    for path in find_shards(shards):
        store.put(path, f"/shards/{Path(path).name}")
    try:
        for data in (
            "memory://shards/a-{000..001}.tar",
            "memory://shards/",
        ):
            train, _ = load_photos(data, cache_dir=tmp_path / "cache")
            assert train.counts() == {"cat": 4, "dog": 4}
        with pytest.raises(UserError, match="There is no memory://shards/b"):
            load_photos("memory://shards/b.tar")
        with pytest.raises(UserError, match="only predict.py reads photos"):
            load_photos("memory://shards/photos")
    finally:
        store.rm("/shards", recursive=True)


def test_an_archive_of_class_folders_at_an_address(drawn_photos, tmp_path):
    archive = shutil.make_archive(tmp_path / "pets", "gztar", drawn_photos)
    store = fsspec.filesystem("memory")
    store.put(archive, "/pets.tar.gz")
    try:
        train, _ = load_photos(
            "memory://pets.tar.gz", cache_dir=tmp_path / "cache"
        )
        assert train.counts() == {"cat": 24, "dog": 24}
    finally:
        store.rm("/pets.tar.gz")


def test_a_class_comes_before_a_field_unless_that_is_asked_for(
    photos, tmp_path
):
    members = [*with_classes(photos), *with_json(photos, "species")]
    members += [("cats/0000.json", b'{"label": "owl", "species": "lynx"}')]
    shard = pack(tmp_path / "a.tar", members)
    for options, counts in (
        ({}, {"cat": 4, "dog": 4}),
        ({"label_column": "species"}, {"cat": 3, "dog": 4, "lynx": 1}),
    ):
        train, _ = load_photos(shard, cache_dir=tmp_path / "cache", **options)
        assert train.counts() == counts
